import type { StartMessage } from '../../protocol/client-messages.ts';
import type { AudioResumption } from '../durable/resumption.ts';
import type { SessionRoute } from '../hearing/route.ts';
import { createSecret } from '../secrets.ts';
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
  /** What it is known by, where another gateway may know it; absent: nobody does. */
  identity?: SessionIdentity | undefined;
  /** What writes its transcript; absent: the own model, and no policy has a say. */
  route?: SessionRoute | undefined;
  /** How it goes on here; absent: it begins. */
  resumption?: Resumption | undefined;
  onEnd(): void;
};

/** What a session is known by, here and at the store. */
export type SessionIdentity = { id: string; resumeToken: string; generation: number };

/** What a session has been at another gateway. */
export type Resumption = {
  lastEventId: number;
  /** When it began, on our clock. */
  startedMs: number;
  settings: SessionSettings;
  audio: AudioResumption;
};

/** The identity of a session that nobody knows yet. */
export function newIdentity({ idPrefix }: Pick<ServerContext, 'idPrefix'>): SessionIdentity {
  return { id: `${idPrefix ?? ''}${createSecret(12)}`, resumeToken: createSecret(32), generation: 1 };
}
