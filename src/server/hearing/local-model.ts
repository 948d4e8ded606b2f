import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import type { ReferenceInput } from '../../protocol/client-messages.ts';
import type { Hindrance } from '../../routing/decide/decide.ts';
import type { OpenUtterance } from '../../scoring/pipeline.ts';
import type { Reference } from '../../scoring/text/reference.ts';
import type { ScoringStats } from '../../scoring/threads/pool.ts';
import type { SlotSource } from '../../telemetry/slot-metrics.ts';
import type { NodeDirectory } from '../node-directory.ts';

/** One of several models of ours, which hears and scores the sessions that a policy gives it. */
export type LocalModel = {
  /** Name and version: what a session keeps wherever it goes on. */
  readonly identity: string;
  /** There once it is warm: `hindrance` says whether it is. */
  readonly engine: AcousticEngine;
  readonly scoring: Scoring;
  /** Sessions that it hears. */
  readonly sessions: number;
  /** The slots of its nodes; absent: it runs here. */
  slots?: SlotSource | undefined;
  /** Its nodes; absent: it runs here. */
  nodes?: NodeDirectory | undefined;
  /** Why it takes no session now; undefined: it does. */
  hindrance(): Hindrance | undefined;
  /** A session is heard by it, until the function is called that this gives. */
  hold(): () => void;
};

/** How texts become references and sound becomes scores; a test may script it. */
export type Scoring = {
  /**
   * @param mostPhones of all pronunciations together.
   * @throws SpeechfbError `invalid_reference`
   */
  readReference(input: ReferenceInput, mostPhones: number): Reference;
  openUtterance: OpenUtterance;
  /** The session that `speaker` names is over: what was kept for it is free. */
  leave?(speaker: string): void;
  /** How busy scoring is, where it has threads of its own. */
  stats?(): ScoringStats;
  /** Called while no session runs: worker threads may collect their garbage. */
  tidy?(): void;
};
