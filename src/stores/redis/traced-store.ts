import type { Tracing } from '../../telemetry/tracing/tracing.ts';
import {
  type BegunSession,
  type ClaimOutcome,
  type LiveGateway,
  type SavedSession,
  type SaveOutcome,
  type SessionClaim,
  type SessionStore,
  StoreError,
} from '../session-store.ts';
import type { RedisPlace } from './redis-place.ts';

export type TracedStoreOptions = {
  tracing: Pick<Tracing, 'call'>;
  place: RedisPlace;
};

/**
 * A store whose calls for sessions are spans of these, by the semantic conventions for Redis. No
 * key or value is in them.
 */
export class TracedStore implements SessionStore {
  readonly #store: SessionStore;
  readonly #options: TracedStoreOptions;

  constructor(store: SessionStore, options: TracedStoreOptions) {
    this.#store = store;
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#store.isUp;
  }

  get isWhole(): boolean {
    return this.#store.isWhole;
  }

  reaches(sessionId: string): boolean {
    return this.#store.reaches(sessionId);
  }

  save(saved: SavedSession, ttlMs: number): Promise<SaveOutcome> {
    return this.#traced(saved.sessionId, 'save', this.#store.save(saved, ttlMs));
  }

  claim(claim: SessionClaim, ttlMs: number): Promise<ClaimOutcome> {
    return this.#traced(claim.sessionId, 'claim', this.#store.claim(claim, ttlMs));
  }

  end(sessionId: string, generation: number): Promise<void> {
    return this.#store.end(sessionId, generation);
  }

  begin(key: string, session: BegunSession, ttlMs: number): Promise<BegunSession> {
    return this.#traced(session.sessionId, 'begin', this.#store.begin(key, session, ttlMs));
  }

  announce(gateway: LiveGateway, ttlMs: number): Promise<readonly LiveGateway[]> {
    return this.#store.announce(gateway, ttlMs);
  }

  onUp(listener: () => void): void {
    this.#store.onUp(listener);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #traced<Answer>(sessionId: string, script: string, answer: Promise<Answer>): Promise<Answer> {
    const startMs = performance.now();
    let failure: string | undefined;
    try {
      return await answer;
    } catch (error) {
      failure = error instanceof StoreError ? error.why : 'internal';
      throw error;
    } finally {
      const { tracing, place } = this.#options;
      tracing.call(sessionId, {
        name: `EVALSHA ${script}`,
        startMs,
        endMs: performance.now(),
        attributes: {
          'db.system.name': 'redis',
          'db.operation.name': 'EVALSHA',
          'db.stored_procedure.name': script,
          'db.namespace': String(place.database),
          // Which of several Redis it was is known at the connection alone.
          ...('host' in place && { 'server.address': place.host, 'server.port': place.port }),
        },
        failure,
      });
    }
  }
}
