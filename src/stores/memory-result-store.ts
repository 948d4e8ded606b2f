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

/**
 * Results for gateways and workers of one process, and the plain statement of what every such store
 * does.
 *
 * @param now monotonic, ms
 */
export class MemoryResultStore implements ResultStore {
  readonly isUp = true;
  readonly #now: () => number;
  readonly #sessions = new Map<string, KeptResults>();
  #sweptMs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  async expect({ sessionId, utteranceId, eventId, ...given }: ExpectedResult, ttlMs: number): Promise<Expectation> {
    this.#sweep();
    const before = this.#sessions.get(sessionId);
    if (before?.isErased) return { kind: 'erased' };
    const session = before && before.untilMs > this.#now() ? before : newResults(given);
    if (session.utterances.get(utteranceId)?.outcome?.state === 'done') return { kind: 'known' };
    this.#sessions.set(sessionId, session);
    session.utterances.set(utteranceId, { tries: 0, outcome: undefined, eventId });
    session.untilMs = this.#now() + ttlMs;
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
    session.untilMs = this.#now() + ttlMs;
    return 'written';
  }

  async read(sessionId: string): Promise<FoundResults> {
    const session = this.#sessions.get(sessionId);
    if (!session || session.untilMs + goneMs < this.#now()) return { kind: 'unknown' };
    const { tokenHash, owner, isErased } = session;
    if (isErased) return { kind: 'gone', why: 'erased', tokenHash, owner };
    if (session.untilMs <= this.#now()) return { kind: 'gone', why: 'expired', tokenHash, owner };
    const utterances = [...session.utterances].map(([utteranceId, { outcome, eventId }]) => {
      const head = { utteranceId, ...(eventId !== undefined && { eventId }) };
      return outcome ? { ...head, ...outcome } : ({ ...head, state: 'pending' } as const);
    });
    utterances.sort((left, right) => left.utteranceId - right.utteranceId);
    return { kind: 'found', tokenHash, owner, utterances };
  }

  async erase(sessionId: string, ttlMs: number): Promise<void> {
    const { tokenHash = '', owner } = this.#sessions.get(sessionId) ?? {};
    const nothing = { ...newResults({ tokenHash, owner, dataKey: '' }), isErased: true };
    this.#sessions.set(sessionId, { ...nothing, untilMs: this.#now() + ttlMs });
  }

  /** It always answers. */
  onUp(): void {}

  async close(): Promise<void> {}

  #current(sessionId: string): KeptResults | undefined {
    const session = this.#sessions.get(sessionId);
    return session && !session.isErased && session.untilMs > this.#now() ? session : undefined;
  }

  /** Forgets what nobody may have any more: the results at once, that there were some later. */
  #sweep(): void {
    const nowMs = this.#now();
    if (nowMs - this.#sweptMs < sweepEveryMs) return;
    this.#sweptMs = nowMs;
    for (const [id, session] of this.#sessions) {
      if (session.untilMs <= nowMs) session.utterances.clear();
      if (session.untilMs + goneMs < nowMs) this.#sessions.delete(id);
    }
  }
}

type KeptResults = ResultHolder & {
  dataKey: string;
  isErased: boolean;
  untilMs: number;
  utterances: Map<number, KeptUtterance>;
};

type KeptUtterance = { tries: number; outcome: FinishedUtterance | undefined; replay?: string; eventId?: number };

function newResults({ tokenHash, owner, dataKey }: ResultHolder & { dataKey: string }): KeptResults {
  return { tokenHash, owner, dataKey, isErased: false, untilMs: 0, utterances: new Map() };
}

const sweepEveryMs = 1000;
