import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import type { ReferenceInput } from '../../protocol/client-messages.ts';
import type { OpenUtterance } from '../../scoring/pipeline.ts';
import type { Reference } from '../../scoring/text/reference.ts';
import type { ScoringStats } from '../../scoring/threads/pool.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Limits } from '../limits.ts';
import type { OverloadControl } from '../overload/overload-control.ts';

/** What every session of a server shares. */
export type ServerContext = {
  engine: AcousticEngine;
  scoring: Scoring;
  limits: Limits;
  metrics: Metrics;
  log: Log;
  /** What learners feel, and what they are spared for it. */
  overload: OverloadControl;
  /** Monotonic, ms. */
  now(): number;
};

/** How texts become references and sound becomes scores; a test may script it. */
export type Scoring = {
  /** @throws SpeechfbError `invalid_reference` */
  readReference(input: ReferenceInput): Reference;
  openUtterance: OpenUtterance;
  /** How busy scoring is, where it has threads of its own. */
  stats?(): ScoringStats;
  /** Called while no session runs: worker threads may collect their garbage. */
  tidy?(): void;
};
