import type { StartMessage } from '../../protocol/client-messages.ts';
import type { SavedSession } from '../../stores/session-store.ts';

/** Keeps sessions where other gateways find them. */
export type SessionKeeper = {
  /** Something of the session is new that another gateway would have to know. */
  changed(session: KeptSession): void;
  /** The session is over; `isElsewhere`: here, since another gateway has it or is to have it. */
  ended(session: KeptSession, isElsewhere: boolean): void;
};

/**
 * Writes a session for another gateway, and says where its client finds that: a URL, or null where
 * it found this one; undefined: nowhere. `model`: what scores it, by name and version.
 */
export type MoveTo = (session: KeptSession, model: string) => Promise<string | null | undefined>;

/** A session as its keeper sees it. */
export type KeptSession = {
  readonly id: string;
  /** How many gateways have had it. */
  readonly generation: number;
  readonly owner: string | undefined;
  readonly resumeToken: string;
  readonly startedWith: StartMessage;
  /** As it is now. */
  saved(as: { gateway: string; ordinal: number }): SavedSession;
  /** Another gateway has taken it over. */
  fence(): void;
  /** The server's clock. */
  nowMs(): number;
};
