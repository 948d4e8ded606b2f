import {
  type Expectation,
  type ExpectedResult,
  type FinishedUtterance,
  type FoundResults,
  goneMs,
  type ResultHolder,
  type ResultStore,
  type TryBegun,
  type UtteranceName,
} from './result-store.ts';

/** How much a store of results keeps, and who is told what that costs. */
export type ResultBounds = {
  /** Results as JSON, and what goes with each session and utterance. */
  maxBytes: number;
  /** Sessions; as many more are remembered to be erased. */
  maxSessions: number;
  /** The results of a session are gone before their time. */
  onDropped(sessionId: string, utterances: number, why: 'bytes' | 'sessions'): void;
};

/**
 * Results for gateways and workers of one process, and the plain statement of what every such store
 * does. With bounds, the session that nothing was written of for longest makes room.
 *
 * @param now monotonic, ms
 */
export class MemoryResultStore implements ResultStore {
  readonly isUp = true;
  readonly #now: () => number;
  readonly #bounds: ResultBounds | undefined;
  /** The one that was written last is the last. */
  readonly #sessions = new Map<string, KeptResults>();
  /** Sessions of which nothing may be kept. */
  readonly #erased = new Map<string, ResultHolder & { untilMs: number }>();
  #bytes = 0;
  #dropped = 0;
  #sweptMs = 0;

  constructor(now: () => number, bounds?: ResultBounds) {
    this.#now = now;
    this.#bounds = bounds;
  }

  /** Sessions and bytes that are kept, and sessions that made room for others. */
  get numbers(): { sessions: number; bytes: number; dropped: number } {
    return { sessions: this.#sessions.size, bytes: this.#bytes, dropped: this.#dropped };
  }

  async expect({ sessionId, utteranceId, eventId, ...given }: ExpectedResult, ttlMs: number): Promise<Expectation> {
    this.#sweep();
    if (this.#isErased(sessionId)) return { kind: 'erased' };
    const session = this.#current(sessionId) ?? newResults(given);
    if (session.utterances.get(utteranceId)?.outcome?.state === 'done') return { kind: 'known' };
    session.utterances.set(utteranceId, { tries: 0, outcome: undefined, eventId });
    this.#keep(sessionId, session, ttlMs);
    return { kind: 'expected', dataKey: session.dataKey };
  }

  async begin({ sessionId, utteranceId }: UtteranceName, replay = ''): Promise<TryBegun> {
    const session = this.#current(sessionId);
    if (!session) return { kind: 'gone' };
    const before = session.utterances.get(utteranceId);
    const isNew = replay !== '' && before?.replay !== replay && before?.outcome?.state !== 'done';
    const utterance = before && !isNew ? before : { ...before, tries: 0, outcome: undefined, replay };
    if (utterance.outcome) return { kind: 'finished' };
    utterance.tries += 1;
    session.utterances.set(utteranceId, utterance);
    return { kind: 'wanted', tries: utterance.tries, dataKey: session.dataKey };
  }

  async finish(
    { sessionId, utteranceId }: UtteranceName,
    outcome: FinishedUtterance,
    ttlMs: number,
  ): Promise<'written' | 'already' | 'gone'> {
    const session = this.#current(sessionId);
    if (!session) return 'gone';
    const before = session.utterances.get(utteranceId);
    if (before?.outcome) return 'already';
    session.utterances.set(utteranceId, { tries: 0, ...before, outcome });
    this.#keep(sessionId, session, ttlMs);
    return 'written';
  }

  async read(sessionId: string): Promise<FoundResults> {
    const nowMs = this.#now();
    const erased = this.#erased.get(sessionId);
    if (erased && erased.untilMs + goneMs >= nowMs) {
      return { kind: 'gone', why: 'erased', tokenHash: erased.tokenHash, owner: erased.owner };
    }
    const session = this.#sessions.get(sessionId);
    if (!session || session.untilMs + goneMs < nowMs) return { kind: 'unknown' };
    const { tokenHash, owner } = session;
    if (session.untilMs <= nowMs) return { kind: 'gone', why: 'expired', tokenHash, owner };
    const utterances = [...session.utterances].map(([utteranceId, { outcome, eventId }]) => {
      const head = { utteranceId, ...(eventId !== undefined && { eventId }) };
      return outcome ? { ...head, ...outcome } : ({ ...head, state: 'pending' } as const);
    });
    utterances.sort((left, right) => left.utteranceId - right.utteranceId);
    return { kind: 'found', tokenHash, owner, utterances };
  }

  async erase(sessionId: string, ttlMs: number): Promise<void> {
    const { tokenHash = '', owner } = this.#sessions.get(sessionId) ?? this.#erased.get(sessionId) ?? {};
    this.#forget(sessionId);
    this.#erased.delete(sessionId);
    this.#erased.set(sessionId, { tokenHash, owner, untilMs: this.#now() + ttlMs });
    const { maxSessions = Number.POSITIVE_INFINITY } = this.#bounds ?? {};
    for (const oldest of this.#erased.keys()) if (this.#erased.size > maxSessions) this.#erased.delete(oldest);
  }

  /** It always answers. */
  onUp(): void {}

  async close(): Promise<void> {}

  #current(sessionId: string): KeptResults | undefined {
    const session = this.#sessions.get(sessionId);
    return session && session.untilMs > this.#now() ? session : undefined;
  }

  #isErased(sessionId: string): boolean {
    return this.#erased.has(sessionId);
  }

  /** Keeps what was written of a session for `ttlMs`, and makes room for it. */
  #keep(sessionId: string, session: KeptResults, ttlMs: number): void {
    this.#forget(sessionId);
    session.untilMs = this.#now() + ttlMs;
    session.bytes = bytesOf(session);
    this.#sessions.set(sessionId, session);
    this.#bytes += session.bytes;
    if (!this.#bounds) return;
    const { maxBytes, maxSessions, onDropped } = this.#bounds;
    for (const [id, { utterances }] of this.#sessions) {
      const why = this.#sessions.size > maxSessions ? 'sessions' : this.#bytes > maxBytes ? 'bytes' : undefined;
      if (why === undefined || id === sessionId) break;
      this.#forget(id);
      // What ran out has made no room for anybody.
      if (utterances.size === 0) continue;
      this.#dropped += 1;
      onDropped(id, utterances.size, why);
    }
  }

  #forget(sessionId: string): void {
    this.#bytes -= this.#sessions.get(sessionId)?.bytes ?? 0;
    this.#sessions.delete(sessionId);
  }

  /** Forgets what nobody may have any more: the results at once, that there were some later. */
  #sweep(): void {
    const nowMs = this.#now();
    if (nowMs - this.#sweptMs < sweepEveryMs) return;
    this.#sweptMs = nowMs;
    for (const [id, session] of this.#sessions) {
      if (session.untilMs + goneMs < nowMs) this.#forget(id);
      else if (session.untilMs <= nowMs && session.utterances.size > 0) {
        session.utterances.clear();
        this.#bytes -= session.bytes;
        session.bytes = bytesOf(session);
        this.#bytes += session.bytes;
      }
    }
    for (const [id, { untilMs }] of this.#erased) if (untilMs + goneMs < nowMs) this.#erased.delete(id);
  }
}

type KeptResults = ResultHolder & {
  dataKey: string;
  untilMs: number;
  /** When it was written last. */
  bytes: number;
  utterances: Map<number, KeptUtterance>;
};

type KeptUtterance = { tries: number; outcome: FinishedUtterance | undefined; replay?: string; eventId?: number };

function newResults({ tokenHash, owner, dataKey }: ResultHolder & { dataKey: string }): KeptResults {
  return { tokenHash, owner, dataKey, untilMs: 0, bytes: 0, utterances: new Map() };
}

/** Text that is not ASCII takes two bytes a character in memory: that is counted. */
function bytesOf({ utterances }: KeptResults): number {
  let bytes = sessionBytes;
  for (const { outcome } of utterances.values()) bytes += utteranceBytes + 2 * (outcome?.value.length ?? 0);
  return bytes;
}

/** What a session and an utterance take without a result, about. */
const sessionBytes = 600;
const utteranceBytes = 200;
const sweepEveryMs = 1000;
