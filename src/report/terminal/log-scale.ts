/** A logarithmic axis of latency whose ends and ticks are 1, 2 or 5 times a power of ten. */
export type LogScale = {
  /** 0 at the low end, 1 at the high one; clamped. */
  at(ms: number): number;
  ticks: readonly number[];
};

/** Covers [lowMs, highMs], a factor of five at least. */
export function logScale(lowMs: number, highMs: number): LogScale {
  const high = ticksUpTo(Math.max(highMs, 1)).at(-1)!;
  const low = Math.min(floorTick(Math.max(lowMs, 0.1)), high / 5);
  const span = Math.log(high / low);
  return {
    at: (ms) => Math.min(1, Math.max(0, Math.log(Math.max(ms, low) / low) / span)),
    ticks: ticksUpTo(high).filter((tick) => tick >= low * 0.999),
  };
}

/** `20 ms`, `1 s`, `100 s`. */
export function tickText(ms: number): string {
  return ms < 1000 ? `${Number(ms.toPrecision(1))} ms` : `${Math.round(ms / 1000)} s`;
}

/** 1, 2, 5, 10 ... from 0.1 ms to the first at or above `ms`. */
function ticksUpTo(ms: number): number[] {
  const ticks: number[] = [];
  for (let power = -1; ; power++) {
    for (const factor of [1, 2, 5]) {
      ticks.push(factor * 10 ** power);
      if (ticks.at(-1)! >= ms) return ticks;
    }
  }
}

function floorTick(ms: number): number {
  return (
    ticksUpTo(ms)
      .filter((tick) => tick <= ms)
      .at(-1) ?? 0.1
  );
}
