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

/** Sessions in a Redis that all gateways of a region share. */
export class RedisSessionStore implements SessionStore {
  readonly #link: RedisLink;
  readonly #keys: ReturnType<typeof keysOf>;

  constructor(link: RedisLink, region?: string) {
    this.#link = link;
    this.#keys = keysOf(region);
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
    const [outcome] = await this.#link.run('save', [this.#keys.session(sessionId)], values);
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

  async announce({ id, url, model }: LiveGateway, ttlMs: number): Promise<readonly LiveGateway[]> {
    const what = JSON.stringify([url, model]);
    const [, all] = await this.#link.run('announce', this.#keys.gateways, [ttlMs, id, what], false);
    const flat = all as string[];
    const gateways: LiveGateway[] = [];
    for (let at = 0; at < flat.length; at += 2) {
      const [foundUrl, foundModel] = JSON.parse(flat[at + 1]!) as [string, string];
      gateways.push({ id: flat[at]!, url: foundUrl, model: foundModel });
    }
    return gateways.filter((gateway) => gateway.id !== id);
  }

  onUp(listener: () => void): void {
    this.#link.onUp(listener);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}

/** An owner's name, or that there is none: no name is empty. */
function written(owner: string | undefined): string {
  return owner ?? '';
}
