import type { StartMessage } from '../../protocol/client-messages.ts';
import type { AudioResumption } from '../durable/resumption.ts';
import type { ServerContext, WorkAccount } from './context.ts';
import type { OpenText } from './open-text.ts';
import type { Sink } from './outbox.ts';
import type { SessionSettings } from './utterance.ts';

/** A socket as its session sees it. */
export type SessionSocket = Sink & {
  close(code: number, reason: string): void;
  /** Whether its client goes where `moving` says. */
  readonly followsMoves?: boolean;
};

export type SessionOptions = {
  context: ServerContext;
  start: StartMessage;
  /** The first text, which the session releases. */
  text: OpenText;
  /** Pays for the texts that follow. */
  work: WorkAccount;
  /** The name of the token that started it; only the same may resume it. */
  owner: string | undefined;
  /** Whether its client could come back to it. */
  isResumable: boolean;
  /** How it goes on here; absent: it begins. */
  resumption?: Resumption | undefined;
  onEnd(): void;
};

/** What a session has been at another gateway. */
export type Resumption = {
  id: string;
  resumeToken: string;
  generation: number;
  lastEventId: number;
  /** When it began, on our clock. */
  startedMs: number;
  settings: SessionSettings;
  audio: AudioResumption;
};
