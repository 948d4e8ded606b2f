/**
 * What gateways share of their sessions. Each call is one atomic step at the store; all reject with
 * a `StoreError` when the store does not answer in time, and then may or may not have been done.
 */
export type SessionStore = {
  /** Whether the store, or any part of it, answered when it was last asked. */
  readonly isUp: boolean;
  /** Whether all of it did. */
  readonly isWhole: boolean;
  /** Whether the part of it did that has this session. */
  reaches(sessionId: string): boolean;
  /** Keeps a session's newest checkpoint for `ttlMs`, unless it has a newer one. */
  save(saved: SavedSession, ttlMs: number): Promise<SaveOutcome>;
  /**
   * Makes a gateway the owner of a session that another one had: the generation rises by one, and
   * nothing that the former owner saves from then on is taken. Refused, it changes nothing.
   */
  claim(claim: SessionClaim, ttlMs: number): Promise<ClaimOutcome>;
  /** Forgets a session that is over, unless another gateway has claimed it since. */
  end(sessionId: string, generation: number): Promise<void>;
  /**
   * The first of all gateways to name `key` begins a session under it; the others get what that one
   * said, for `ttlMs`.
   */
  begin(key: string, session: BegunSession, ttlMs: number): Promise<BegunSession>;
  /** Tells that a gateway takes sessions for `ttlMs` more (0: no longer), and which others do. */
  announce(gateway: LiveGateway, ttlMs: number): Promise<readonly LiveGateway[]>;
  /** Calls `listener` each time that the store answers again. */
  onUp(listener: () => void): void;
  close(): Promise<void>;
};

/** A session as its gateway saves it. */
export type SavedSession = {
  sessionId: string;
  /** Rises with each gateway that takes the session over; 1 at its start. */
  generation: number;
  /** Rises with each checkpoint of one generation. */
  ordinal: number;
  /** The resume token's SHA-256: the store never sees that itself. */
  tokenHash: string;
  /** A digest of who started it, and alone may resume it; undefined: whoever has the token. */
  owner: string | undefined;
  /** What it is scored by, name and version: no other model can go on with it. */
  model: string;
  /** The gateway that has it. */
  gateway: string;
  /** The checkpoint as it is written. */
  value: string;
  /** Whether its gateway saved it lately: then there must be something. */
  wasSaved?: boolean;
};

/** `fenced`: another gateway has claimed the session; `stale`: a newer state of it was saved. */
export type SaveOutcome = 'saved' | 'stale' | 'fenced';

export type SessionClaim = {
  sessionId: string;
  /** The shown token's SHA-256; undefined: the client has the session by its idempotency key. */
  tokenHash: string | undefined;
  owner: string | undefined;
  model: string;
  gateway: string;
  /** The token's hash from here on, where the client gets a new one. */
  newTokenHash?: string | undefined;
};

export type ClaimOutcome =
  | { kind: 'claimed'; generation: number; value: string; ageMs: number; from: string }
  | { kind: 'unknown' | 'wrong_token' | 'forbidden' }
  /** What it was scored by. */
  | { kind: 'other_model'; model: string };

/** What a start under an idempotency key began. */
export type BegunSession = {
  sessionId: string;
  /** The start's SHA-256: another start may not use the same key. */
  startHash: string;
};

/**
 * A gateway that takes sessions: where learners find it ('': where they found the others), and the
 * models that it runs, each by name and version, its own first.
 */
export type LiveGateway = { id: string; url: string; models: readonly string[] };

/** Why a store did not do what it was asked. */
export type StoreTrouble = 'timeout' | 'unreachable' | 'refused';

/** A store that did not answer, or answered that it cannot. */
export class StoreError extends Error {
  override readonly name = 'StoreError' as const;
  readonly why: StoreTrouble;

  constructor(why: StoreTrouble, message: string) {
    super(message);
    this.why = why;
  }
}

/** Whether an id that a client names may be one of ours: it becomes part of a key. */
export function isSessionId(text: string): boolean {
  return /^[\w.-]{1,64}$/.test(text);
}
