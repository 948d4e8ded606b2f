import {
  type Expectation,
  type ExpectedResult,
  type FinishedUtterance,
  type FoundResults,
  type FoundUtterance,
  goneMs,
  type ResultStore,
  type TryBegun,
  type UtteranceName,
} from '../result-store.ts';
import { RedisLink, type RedisLinkOptions } from './redis-link.ts';
import { keysOf } from './scripts.ts';

/** Results in a Redis that all gateways and workers share. */
export class RedisResultStore implements ResultStore {
  readonly #link: RedisLink;
  readonly #keys: ReturnType<typeof keysOf>;

  constructor(options: RedisLinkOptions) {
    this.#link = new RedisLink({ answerMs: usualAnswerMs, ...options });
    this.#keys = keysOf(options.region);
  }

  get isUp(): boolean {
    return this.#link.isUp;
  }

  async expect(handed: ExpectedResult, ttlMs: number): Promise<Expectation> {
    const { sessionId, utteranceId, tokenHash, owner, dataKey, eventId } = handed;
    const values = [ttlMs, ttlMs + goneMs, utteranceId, tokenHash, owner ?? '', dataKey, eventId];
    const [kind, key] = await this.#link.run('expectResult', this.#keys.results(sessionId), values);
    if (kind === 'expected') return { kind, dataKey: String(key) };
    return { kind: kind as 'known' | 'erased' };
  }

  async begin({ sessionId, utteranceId }: UtteranceName, replay = ''): Promise<TryBegun> {
    const [kind, tries, key] = await this.#link.run('beginTry', this.#keys.results(sessionId), [utteranceId, replay]);
    if (kind === 'wanted') return { kind, tries: Number(tries), dataKey: String(key) };
    return { kind: kind as 'finished' | 'gone' };
  }

  async finish(
    { sessionId, utteranceId }: UtteranceName,
    { state, value }: FinishedUtterance,
    ttlMs: number,
  ): Promise<'written' | 'already' | 'gone'> {
    const outcome = `${letters[state]}${value}`;
    const values = [ttlMs, ttlMs + goneMs, utteranceId, outcome];
    const [kind] = await this.#link.run('finishResult', this.#keys.results(sessionId), values);
    return kind as 'written' | 'already' | 'gone';
  }

  async read(sessionId: string): Promise<FoundResults> {
    const [kind, tokenHash, owner, rest] = await this.#link.run('readResults', this.#keys.results(sessionId), []);
    if (kind === 'unknown') return { kind };
    const holder = { tokenHash: String(tokenHash), owner: String(owner) || undefined };
    if (kind === 'found') return { kind, ...holder, utterances: utterancesOf(rest as string[]) };
    if (kind === 'gone') return { kind, ...holder, why: rest as 'expired' | 'erased' };
    return { kind: 'open', ...holder };
  }

  async erase(sessionId: string, ttlMs: number): Promise<void> {
    await this.#link.run('eraseResults', this.#keys.results(sessionId), [ttlMs + goneMs], false);
  }

  onUp(listener: () => void): void {
    this.#link.onUp(listener);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}

const letters = { done: 'd', failed: 'f' } as const;

/** @param flat a hash of Redis: names and values by turns */
function utterancesOf(flat: readonly string[]): FoundUtterance[] {
  const fields = new Map<string, string>();
  for (let at = 0; at < flat.length; at += 2) fields.set(flat[at]!, flat[at + 1]!);
  const found: FoundUtterance[] = [];
  for (const [name, value] of fields) {
    if (!name.startsWith('s:')) continue;
    const utteranceId = Number(name.slice(2));
    const event = fields.get(`e:${utteranceId}`);
    const head = { utteranceId, ...(event !== undefined && { eventId: Number(event) }) };
    if (value === 'p') found.push({ ...head, state: 'pending' });
    else found.push({ ...head, state: value[0] === letters.done ? 'done' : 'failed', value: value.slice(1) });
  }
  return found.sort((left, right) => left.utteranceId - right.utteranceId);
}

/** Nobody who speaks waits for this store. */
const usualAnswerMs = 1000;
