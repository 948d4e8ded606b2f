import type {
  BegunSession,
  ClaimOutcome,
  LiveGateway,
  SavedSession,
  SaveOutcome,
  SessionClaim,
  SessionStore,
} from '../session-store.ts';
import type { RedisLink } from './redis-link.ts';
import { keysOf } from './scripts.ts';

/** What a store finds out that no call fails for. */
export type StoreNews = {
  /** A session that was kept there is not; it has just been written again. */
  onLost?(): void;
  /** For long there has been no other gateway that takes sessions, or there are others now. */
  onAlone?(isAlone: boolean): void;
};

/** Sessions in a Redis that all gateways of a region share. */
export class RedisSessionStore implements SessionStore {
  readonly #link: RedisLink;
  readonly #keys: ReturnType<typeof keysOf>;
  readonly #news: StoreNews;
  /** Since when what has each of these keys remembers, in its own words. */
  readonly #since = new Map<string, string>();
  #isLooking = false;
  /** What was told of whether others are there. */
  #isAlone: boolean | undefined;
  /** How often it has been told of nobody else, one time after the other. */
  #alone = 0;

  constructor(link: RedisLink, region?: string, news: StoreNews = {}) {
    this.#link = link;
    this.#keys = keysOf(region);
    this.#news = news;
  }

  get isUp(): boolean {
    return this.#link.isUp;
  }

  get isWhole(): boolean {
    return this.#link.isWhole;
  }

  reaches(sessionId: string): boolean {
    return this.#link.reaches(this.#keys.session(sessionId));
  }

  async save(saved: SavedSession, ttlMs: number): Promise<SaveOutcome> {
    const { sessionId, generation, ordinal, tokenHash, owner, model, gateway, value } = saved;
    const values = [ttlMs, generation, ordinal, tokenHash, written(owner), model, gateway, value];
    const [outcome, wasThere] = await this.#link.run('save', [this.#keys.session(sessionId)], values);
    if (saved.wasSaved && outcome === 'saved' && wasThere === 0) this.#news.onLost?.();
    return outcome as SaveOutcome;
  }

  async claim(claim: SessionClaim, ttlMs: number): Promise<ClaimOutcome> {
    const { sessionId, tokenHash = '', owner, model, gateway, newTokenHash = '' } = claim;
    const values = [ttlMs, tokenHash, written(owner), model, gateway, newTokenHash];
    const [kind, ...rest] = await this.#link.run('claim', [this.#keys.session(sessionId)], values);
    if (kind === 'claimed') {
      const [generation, value, ageMs, from] = rest as [number, string, number, string];
      return { kind, generation, value, ageMs, from };
    }
    if (kind === 'other_model') return { kind, model: String(rest[0]) };
    return { kind: kind as 'unknown' | 'wrong_token' | 'forbidden' };
  }

  async end(sessionId: string, generation: number): Promise<void> {
    await this.#link.run('end', [this.#keys.session(sessionId)], [generation], false);
  }

  async begin(key: string, { sessionId, startHash }: BegunSession, ttlMs: number): Promise<BegunSession> {
    const [, session, start] = await this.#link.run('begin', [this.#keys.begun(key)], [ttlMs, sessionId, startHash]);
    return { sessionId: String(session), startHash: String(start) };
  }

  async announce({ id, url, models }: LiveGateway, ttlMs: number): Promise<readonly LiveGateway[]> {
    const what = JSON.stringify([url, ...models]);
    const [, all, since] = await this.#link.run('announce', this.#keys.gateways, [ttlMs, id, what], false);
    const flat = all as string[];
    const gateways: LiveGateway[] = [];
    for (let at = 0; at < flat.length; at += 2) {
      // One of an older version says one model, and reads the first of ours.
      const [foundUrl, ...foundModels] = JSON.parse(flat[at + 1]!) as [string, ...string[]];
      gateways.push({ id: flat[at]!, url: foundUrl, models: foundModels });
    }
    const others = gateways.filter((gateway) => gateway.id !== id);
    if (ttlMs > 0) {
      this.#announced(others.length === 0);
      if (this.#hasForgotten(this.#keys.gateways[0]!, String(since))) this.#link.emptied();
      void this.#lookAtOthers(id, ttlMs);
    }
    return others;
  }

  /** Asks the other masters of a cluster since when they remember; nobody waits for them. */
  async #lookAtOthers(id: string, ttlMs: number): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const [own] = this.#keys.gateways;
    const keys = this.#link.keyAtEach(this.#keys.since, own!);
    const since = await Promise.allSettled(keys.map((key) => this.#link.run('remember', [key], [ttlMs, id], false)));
    this.#isLooking = false;
    // A slot that has wandered leaves a key behind that nobody keeps, and that runs out.
    const asked = new Set([own, ...keys]);
    for (const key of this.#since.keys()) if (!asked.has(key)) this.#since.delete(key);
    const emptied = since.filter(
      (answer, index) => answer.status === 'fulfilled' && this.#hasForgotten(keys[index]!, String(answer.value[1])),
    );
    if (emptied.length > 0) this.#link.emptied();
  }

  /** Whether what has this key remembers since another time than it last said. */
  #hasForgotten(key: string, since: string): boolean {
    const before = this.#since.get(key);
    this.#since.set(key, since);
    return before !== undefined && before !== since;
  }

  #announced(isAlone: boolean): void {
    this.#alone = isAlone ? this.#alone + 1 : 0;
    if (isAlone !== this.#isAlone && (!isAlone || this.#alone >= aloneAfter)) {
      this.#news.onAlone?.(isAlone);
      this.#isAlone = isAlone;
    }
  }

  onUp(listener: () => void): void {
    this.#link.onUp(listener);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}

/** Others may be late to say that they are there, as after a failover: a second for each time. */
const aloneAfter = 10;

/** An owner's name, or that there is none: no name is empty. */
function written(owner: string | undefined): string {
  return owner ?? '';
}
