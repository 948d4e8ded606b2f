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
  #restsUntilMs = 0;

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
    while (this.#waiting.size > 0) {
      const restMs = this.#restsUntilMs - now();
      if (restMs > 0) await rest(restMs);
      const startedMs = now();
      do {
        this.#next()?.();
        await whatIsDoneAtOnce();
      } while (this.#waiting.size > 0 && now() - startedMs < limits.requestTurnMs);
      const tookMs = now() - startedMs;
      this.#restsUntilMs = now() + tookMs / limits.requestShare - tookMs;
    }
    this.#isAtWork = false;
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

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves when every promise that could be settled has been, in the same turn. */
function whatIsDoneAtOnce(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
