import type {
  BegunSession,
  ClaimOutcome,
  LiveGateway,
  SavedSession,
  SaveOutcome,
  SessionClaim,
  SessionStore,
} from './session-store.ts';

/**
 * A store for gateways of one process, and the plain statement of what every store does.
 *
 * @param now monotonic, ms
 */
export class MemorySessionStore implements SessionStore {
  readonly isUp = true;
  readonly isWhole = true;
  readonly #now: () => number;
  readonly #sessions = new Map<string, Kept<SavedSession>>();
  readonly #begun = new Map<string, Kept<BegunSession>>();
  readonly #gateways = new Map<string, Kept<LiveGateway>>();

  constructor(now: () => number) {
    this.#now = now;
  }

  reaches(): boolean {
    return true;
  }

  async save(saved: SavedSession, ttlMs: number): Promise<SaveOutcome> {
    const before = this.#current(this.#sessions, saved.sessionId);
    if (before && before.generation > saved.generation) return 'fenced';
    if (before?.generation === saved.generation) {
      if (before.gateway !== saved.gateway) return 'fenced';
      if (before.ordinal >= saved.ordinal) return 'stale';
    }
    this.#keep(this.#sessions, saved.sessionId, saved, ttlMs);
    return 'saved';
  }

  async claim(claim: SessionClaim, ttlMs: number): Promise<ClaimOutcome> {
    const { sessionId, tokenHash, owner, model, gateway } = claim;
    const before = this.#current(this.#sessions, sessionId);
    if (!before) return { kind: 'unknown' };
    if (tokenHash !== undefined && before.tokenHash !== tokenHash) return { kind: 'wrong_token' };
    if (before.owner !== owner) return { kind: 'forbidden' };
    if (before.model !== model) return { kind: 'other_model', model: before.model };
    const ageMs = this.#now() - this.#sessions.get(sessionId)!.atMs;
    const generation = before.generation + 1;
    const claimed = { ...before, generation, ordinal: 0, gateway, tokenHash: claim.newTokenHash ?? before.tokenHash };
    this.#sessions.set(sessionId, { ...this.#sessions.get(sessionId)!, value: claimed, untilMs: this.#now() + ttlMs });
    return { kind: 'claimed', generation, value: before.value, ageMs, from: before.gateway };
  }

  async end(sessionId: string, generation: number): Promise<void> {
    const before = this.#sessions.get(sessionId);
    if (before && before.value.generation <= generation) this.#sessions.delete(sessionId);
  }

  async begin(key: string, session: BegunSession, ttlMs: number): Promise<BegunSession> {
    const before = this.#current(this.#begun, key);
    if (before) return before;
    this.#keep(this.#begun, key, session, ttlMs);
    return session;
  }

  async announce(gateway: LiveGateway, ttlMs: number): Promise<readonly LiveGateway[]> {
    if (ttlMs > 0) this.#keep(this.#gateways, gateway.id, gateway, ttlMs);
    else this.#gateways.delete(gateway.id);
    const ids = [...this.#gateways.keys()].filter((id) => id !== gateway.id);
    return ids.flatMap((id) => this.#current(this.#gateways, id) ?? []);
  }

  /** It always answers. */
  onUp(): void {}

  async close(): Promise<void> {}

  #current<Value>(kept: Map<string, Kept<Value>>, key: string): Value | undefined {
    const found = kept.get(key);
    if (found && found.untilMs > this.#now()) return found.value;
    kept.delete(key);
    return undefined;
  }

  #keep<Value>(kept: Map<string, Kept<Value>>, key: string, value: Value, ttlMs: number): void {
    const atMs = this.#now();
    kept.set(key, { value, atMs, untilMs: atMs + ttlMs });
  }
}

type Kept<Value> = { value: Value; atMs: number; untilMs: number };
