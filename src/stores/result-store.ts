/**
 * What becomes of utterances whose sessions could not wait for it: the key of each session's sound,
 * which utterances are to come, and the results, each written once. Each call is one atomic step;
 * all reject with a `StoreError` when the store does not answer in time.
 */
export type ResultStore = {
  readonly isUp: boolean;
  /**
   * An utterance is scored later: its learner finds that out here until `ttlMs` from now.
   *
   * @returns the key for its sound, that of the session if it has one; `known`: it has a result;
   *   `erased`: nothing of the session may be kept
   */
  expect(handed: ExpectedResult, ttlMs: number): Promise<Expectation>;
  /**
   * Begins one more try at an utterance, and counts it.
   *
   * @param replay Which replay of it this is. The first time that one comes, an utterance without a
   *   final is wanted again, and its tries are counted from one.
   */
  begin(of: UtteranceName, replay?: string): Promise<TryBegun>;
  /** Writes how an utterance ended, unless that is known already or nobody may know. */
  finish(of: UtteranceName, outcome: FinishedUtterance, ttlMs: number): Promise<'written' | 'already' | 'gone'>;
  read(sessionId: string): Promise<FoundResults>;
  /**
   * Forgets all of a session, the key of its sound first of all, and keeps nothing of it from here
   * on.
   */
  erase(sessionId: string, ttlMs: number): Promise<void>;
  /** Calls `listener` each time that the store answers again. */
  onUp(listener: () => void): void;
  close(): Promise<void>;
};

export type UtteranceName = { sessionId: string; utteranceId: number };

/** A result that is to come, for whoever may resume the session. */
export type ExpectedResult = UtteranceName & {
  /** The resume token's SHA-256. */
  tokenHash: string;
  /** A digest of who started the session; undefined: whoever has the token. */
  owner: string | undefined;
  /** Encrypts the session's sound, unless the session has such a key already; base64url. */
  dataKey: string;
  /** Which event of the session its final is, or would be. */
  eventId: number;
};

export type Expectation = { kind: 'expected'; dataKey: string } | { kind: 'known' | 'erased' };

/** `tries`: this one counted. `finished`: there is nothing to do; `gone`: nor is there a key. */
export type TryBegun = { kind: 'wanted'; tries: number; dataKey: string } | { kind: 'finished' | 'gone' };

/** `value`: the final as JSON, or why there is none. */
export type FinishedUtterance = { state: 'done' | 'failed'; value: string };

export type FoundResults =
  | { kind: 'unknown' }
  /** What there was is kept no longer. */
  | ({ kind: 'gone'; why: 'expired' | 'erased' } & ResultHolder)
  /** The session goes on, or may. */
  | ({ kind: 'open' } & ResultHolder)
  | ({ kind: 'found'; utterances: readonly FoundUtterance[] } & ResultHolder);

/** The caller that may ask: it shows the token of this hash, or is this owner. */
export type ResultHolder = { tokenHash: string; owner: string | undefined };

/** `eventId`: absent where an older gateway handed it over. */
export type FoundUtterance = { utteranceId: number; eventId?: number } & (FinishedUtterance | { state: 'pending' });

/** How long it is remembered that there was something, beyond what was there, ms. */
export const goneMs = 86_400_000;
