import { type SessionStore, StoreError, type StoreTrouble } from '../../stores/session-store.ts';
import type { KeptSession, SessionKeeper } from './kept-session.ts';

export type KeeperOptions = {
  store: SessionStore;
  /** This gateway, as the store knows it. */
  gateway: string;
  /** How long a session outlives its gateway, ms. */
  ttlMs: number;
  /** A call to the store failed. */
  onTrouble(why: StoreTrouble): void;
};

/**
 * Keeps the checkpoints of a gateway's sessions in a store, without anybody waiting for it: of each
 * session the newest state is written, one write at a time, and while the store is away nothing is
 * but the names of those to be written when it is back.
 */
export class Keeper implements SessionKeeper {
  readonly gateway: string;
  readonly #options: KeeperOptions;
  readonly #sessions = new Map<KeptSession, Kept>();
  readonly #waiting = new Set<KeptSession>();
  #writing = 0;
  #isScheduled = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.gateway = options.gateway;
    options.store.onUp(() => this.#writeAll());
  }

  changed(session: KeptSession): void {
    if (!this.#sessions.has(session))
      this.#sessions.set(session, { isWriting: false, savedMs: Number.NEGATIVE_INFINITY, ordinal: 0, writtenMs: 0 });
    this.#waiting.add(session);
    this.#schedule();
  }

  ended(session: KeptSession, isElsewhere: boolean): void {
    const { store } = this.#options;
    this.#waiting.delete(session);
    if (!this.#sessions.delete(session) || isElsewhere || !store.reaches(session.id)) return;
    store.end(session.id, session.generation).catch((error) => this.#failed(error));
  }

  /** To be called a few times a second: what is kept must not run out. */
  tick(nowMs: number): void {
    for (const [session, kept] of this.#sessions) {
      if (nowMs - kept.writtenMs > this.#options.ttlMs * refreshedAfter) this.#waiting.add(session);
    }
    this.#schedule();
  }

  /**
   * Whether a session is this gateway's still, as far as the store can tell within a moment.
   */
  async isOurs(session: KeptSession): Promise<boolean> {
    const kept = this.#sessions.get(session);
    if (!kept || !this.#options.store.reaches(session.id)) return true;
    const outcome = await Promise.race([this.#save(session, kept), givenUpAfter(askedForMs)]);
    return outcome !== 'fenced';
  }

  /** Writes a session now; whether it is written. */
  async write(session: KeptSession): Promise<boolean> {
    const kept = this.#sessions.get(session);
    this.#waiting.delete(session);
    return kept !== undefined && (await this.#save(session, kept)) === 'saved';
  }

  #writeAll(): void {
    for (const session of this.#sessions.keys()) this.#waiting.add(session);
    this.#schedule();
  }

  /** Not now: what changed a session has more urgent things to do. */
  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#writeSome();
    });
  }

  #writeSome(): void {
    for (const session of this.#waiting) {
      if (this.#writing >= mostWrites || !this.#options.store.isUp) return;
      const kept = this.#sessions.get(session);
      if (kept?.isWriting || !this.#options.store.reaches(session.id)) continue;
      this.#waiting.delete(session);
      if (kept) void this.#writeOne(session, kept);
    }
  }

  async #writeOne(session: KeptSession, kept: Kept): Promise<void> {
    kept.isWriting = true;
    this.#writing += 1;
    const outcome = await this.#save(session, kept);
    kept.isWriting = false;
    this.#writing -= 1;
    // Not at once: what is refused now is so again.
    if (outcome === 'failed') kept.writtenMs = Number.NEGATIVE_INFINITY;
    this.#schedule();
  }

  async #save(session: KeptSession, kept: Kept): Promise<'saved' | 'stale' | 'fenced' | 'failed'> {
    kept.ordinal += 1;
    const { store, gateway, ttlMs } = this.#options;
    try {
      const nowMs = session.nowMs();
      const wasSaved = nowMs - kept.savedMs < ttlMs * missedWithin;
      const outcome = await store.save({ ...session.saved({ gateway, ordinal: kept.ordinal }), wasSaved }, ttlMs);
      if (outcome === 'saved') kept.savedMs = nowMs;
      if (outcome === 'fenced') session.fence();
      else kept.writtenMs = session.nowMs();
      return outcome;
    } catch (error) {
      this.#failed(error);
      return 'failed';
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof StoreError)) throw error;
    this.#options.onTrouble(error.why);
  }
}

type Kept = {
  isWriting: boolean;
  /** When the checkpoint was begun that the store took last. */
  savedMs: number;
  /** The number of the newest checkpoint. */
  ordinal: number;
  writtenMs: number;
};

function givenUpAfter(ms: number): Promise<'unknown'> {
  return new Promise((resolve) => void setTimeout(() => resolve('unknown'), ms).unref());
}

/** Writes at once: more would only wait for each other at the store. */
const mostWrites = 32;
/** Share of its time to live after which a checkpoint is written again. */
const refreshedAfter = 1 / 3;
/** Share of that within which it must still be there: later it may have run out. */
const missedWithin = 1 / 2;
/** How long a client that comes back may wait for the store, ms. */
const askedForMs = 100;
