import type { Limits } from '../../limits.ts';

export type RequestTurnsOptions = {
  limits: Pick<Limits, 'requestTurnMs' | 'requestShare'>;
  /** Monotonic, ms. */
  now(): number;
};

/**
 * Has requests answered a few in a turn of the event loop and for a share of its time at most, so
 * that no flood of them keeps the thread from those who speak. Callers take turns: one who asks
 * once waits for no queue of another.
 */
export class RequestTurns {
  readonly #options: RequestTurnsOptions;
  /** What waits of each caller, in the order of their turns. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #isAtWork = false;
  /** Time that was taken beyond the share, ms, as of `#asOfMs`. */
  #aheadMs = 0;
  #asOfMs = 0;

  constructor(options: RequestTurnsOptions) {
    this.#options = options;
  }

  /** @param answer at once where nothing waits, else when the caller's turn has come */
  enter(caller: string, answer: () => void): void {
    const own = this.#waiting.get(caller);
    if (own) own.push(answer);
    else this.#waiting.set(caller, [answer]);
    if (!this.#isAtWork) void this.#work();
  }

  async #work(): Promise<void> {
    const { limits, now } = this.#options;
    this.#isAtWork = true;
    for (let isFirst = true; this.#waiting.size > 0; isFirst = false) {
      const restMs = this.#restMs();
      if (restMs > 0 || !isFirst) await rest(Math.max(0, restMs));
      const startedMs = now();
      do {
        this.#next()?.();
        await whatIsDoneAtOnce();
      } while (this.#waiting.size > 0 && now() - startedMs < limits.requestTurnMs);
      this.#aheadMs = this.#ahead(startedMs) + (now() - startedMs) * (1 - limits.requestShare);
      this.#asOfMs = now();
    }
    this.#isAtWork = false;
  }

  /** How long nothing is answered. A few that come one after the other wait for nothing. */
  #restMs(): number {
    const beyondMs = this.#ahead(this.#options.now()) - mostAheadMs;
    return beyondMs / this.#options.limits.requestShare;
  }

  #ahead(nowMs: number): number {
    return Math.max(0, this.#aheadMs - (nowMs - this.#asOfMs) * this.#options.limits.requestShare);
  }

  #next(): (() => void) | undefined {
    const [turn] = this.#waiting;
    if (!turn) return undefined;
    const [caller, own] = turn;
    const answer = own.shift();
    this.#waiting.delete(caller);
    if (own.length > 0) this.#waiting.set(caller, own);
    return answer;
  }
}

/** How far answers may be ahead of their share, ms: the metrics of a large server take that. */
const mostAheadMs = 50;

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves when every promise that could be settled has been, in the same turn. */
function whatIsDoneAtOnce(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
