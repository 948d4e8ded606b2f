import { backoffMs } from '../../backoff.ts';
import type { Log } from '../../telemetry/log.ts';

export type DeletionCostOptions = {
  /** Sessions that the node has, and how many it may have. */
  slots(): { slots: number; free: number };
  /** Tells the cluster what it would cost to delete this pod. */
  tell(cost: number, signal: AbortSignal): Promise<void>;
  log: Log;
  /** In [0, 1). */
  random(): number;
};

/**
 * Keeps the cluster informed of what it costs to delete this node: its sessions, so that a fleet
 * that shrinks lets idle nodes go first. Of nodes that are there and ready Kubernetes deletes the
 * cheapest.
 *
 * It tells only what is new: that the node has become idle, or is no longer, or has a tenth of its
 * slots more or fewer sessions than it said; and no more often than each 11 s, since each telling
 * is a write to the store of the whole cluster. What is not taken is told again, later and later.
 */
export class DeletionCost implements Disposable {
  readonly #options: DeletionCostOptions;
  readonly #ended = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #told: number | undefined;
  #failures = 0;

  constructor(options: DeletionCostOptions) {
    this.#options = options;
    // Nodes that start together do not speak together.
    this.#lookIn(everyMs * options.random());
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#ended.abort();
  }

  #lookIn(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#look(), delayMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { slots, free } = this.#options.slots();
    const sessions = slots - free;
    if (this.#isNews(sessions, slots)) await this.#tell(sessions);
    if (this.#ended.signal.aborted) return;
    const { random } = this.#options;
    const usual = everyMs * (0.75 + 0.5 * random());
    this.#lookIn(this.#failures === 0 ? usual : backoffMs(this.#failures, random, retry));
  }

  #isNews(sessions: number, slots: number): boolean {
    const told = this.#told;
    if (told === undefined || (told === 0) !== (sessions === 0)) return true;
    return Math.abs(sessions - told) >= Math.max(1, slots * newsShare);
  }

  async #tell(sessions: number): Promise<void> {
    const { tell, log } = this.#options;
    const late = AbortSignal.timeout(timeoutMs);
    try {
      await tell(sessions, AbortSignal.any([late, this.#ended.signal]));
      this.#told = sessions;
      if (this.#failures > 0) log.info({ cost: sessions }, "the API server takes the pod's deletion cost again");
      this.#failures = 0;
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      const why = late.aborted ? `no answer within ${timeoutMs} ms` : (error as Error).message;
      if (this.#failures === 0) log.warn({ why }, "the API server does not take the pod's deletion cost: tries again");
      this.#failures += 1;
    }
  }
}

const everyMs = 15_000;
const newsShare = 0.1;
const timeoutMs = 5000;
const retry = { firstMs: everyMs, maxMs: 300_000 };
