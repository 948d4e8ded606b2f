/**
 * How long to gather before a run: a stream is ripe with `steps` steps waiting, and a run waits
 * `fillMs` for more streams.
 */
export type Pace = { steps: number; fillMs: number };

/**
 * From idle to loaded. One step at once is the lowest latency for each step; groups of 100 ms and
 * fuller batches cost a stream-second half as much, and come as early for feedback each 100 ms. A
 * busy engine is not the only one that needs a core, so the pace is taken down well before the
 * engine is. `hurryAbove`, `easeBelow`: the busy shares that lead to the next pace and back to the
 * one before. They lie far apart, because the load itself falls with a slower pace and rises with a
 * quicker one.
 */
export const paces: readonly PaceLevel[] = [
  { steps: 1, fillMs: 0, hurryAbove: 0.25, easeBelow: 0 },
  { steps: 1, fillMs: 5, hurryAbove: 0.2, easeBelow: 0.04 },
  { steps: 5, fillMs: 5, hurryAbove: Number.POSITIVE_INFINITY, easeBelow: 0.04 },
];

/** The levels of a device whose runs carry most in groups of so many steps. */
export function pacesOf(groupSteps: number): readonly PaceLevel[] {
  const [once, filled, grouped] = paces as [PaceLevel, PaceLevel, PaceLevel];
  if (groupSteps === 1) return [once, { ...filled, hurryAbove: grouped.hurryAbove }];
  return [once, filled, { ...grouped, steps: groupSteps }];
}

type PaceLevel = Pace & { hurryAbove: number; easeBelow: number };

/** What a server that is late for everybody asks for: groups of 200 ms, in as full batches. */
export const largerGroups: Pace = { steps: 10, fillMs: 10 };

/** Follows the load: the pace moves one level at most each quarter of a second. */
export class LoadFollower {
  #level = 0;
  #periodStartMs: number;
  #busyMs = 0;
  /** Whether larger groups are wanted, however busy the engine is itself. */
  prefersGroups = false;

  readonly #levels: readonly PaceLevel[];

  constructor(startMs: number, levels = paces) {
    this.#periodStartMs = startMs;
    this.#levels = levels;
  }

  get pace(): Pace {
    return this.prefersGroups ? largerGroups : this.#levels[this.#level]!;
  }

  ran(startedMs: number, endedMs: number): void {
    this.#busyMs += endedMs - startedMs;
    if (endedMs - this.#periodStartMs < periodMs) return;
    this.#level = nextLevel(this.#level, this.#busyMs / (endedMs - this.#periodStartMs), this.#levels);
    this.#periodStartMs = endedMs;
    this.#busyMs = 0;
  }
}

const periodMs = 250;

/** The next level after a period in which the engine was `busy` (0-1). */
export function nextLevel(level: number, busy: number, levels = paces): number {
  const { hurryAbove, easeBelow } = levels[level]!;
  if (busy > hurryAbove) return level + 1;
  return busy < easeBelow ? level - 1 : level;
}
