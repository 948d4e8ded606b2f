/** How long to gather before a run: a stream is ripe with `steps` steps waiting, and a run waits `fillMs` for more streams. */
export type Pace = { steps: number; fillMs: number };

/**
 * From idle to loaded. One step at once is the lowest latency; larger chunks and fuller batches cost a stream-second less
 * (about 15 times less from one stream at 20 ms to 32 streams at 100 ms), which is what a busy engine needs.
 * `easeBelow`: the busy share under which the pace before it is enough; far below `hurryAbove`, because that pace costs more.
 */
export const paces: readonly (Pace & { easeBelow: number })[] = [
  { steps: 1, fillMs: 0, easeBelow: 0 },
  { steps: 1, fillMs: 5, easeBelow: 0.1 },
  { steps: 2, fillMs: 5, easeBelow: 0.25 },
  { steps: 5, fillMs: 5, easeBelow: 0.35 },
];

const hurryAbove = 0.55;

/** The next level of `paces` after a period in which the engine was `busy` (0-1). */
export function nextLevel(level: number, busy: number): number {
  if (busy > hurryAbove) return Math.min(paces.length - 1, level + 1);
  return busy < paces[level]!.easeBelow ? level - 1 : level;
}
