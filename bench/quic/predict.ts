import type { NetworkProfile } from '../../src/sim/profile/profile.ts';
import { simulateFlow } from '../../src/sim/run-flow.ts';
import { wireBytes } from '../../src/sim/wire-bytes.ts';
import { quantileOfSorted } from '../../src/stats/quantile.ts';
import { frameBytes } from './carriers.ts';
import type { MeasureOptions, Way } from './measure.ts';

/** What the simulator says of a figure: its middle, and where 95 % of such small runs lie. */
export type Range = { low: number; middle: number; high: number };

const runs = 40;

/**
 * The same traffic in virtual time, over and over with other random numbers: as many learners and
 * as long as was measured, so that a figure's range is that of a sample of this size.
 */
export function predict<Figure extends string>(
  way: Way,
  { network, learners, seconds }: MeasureOptions,
  figures: Record<Figure, (sortedMs: Float64Array) => number>,
): Record<Figure, Range> {
  const profile: NetworkProfile = { ...network, transport: way === 'websocket' ? 'tcp' : way };
  const bytes = way === 'websocket' ? wireBytes(frameBytes, true, 'tcp') : frameBytes;
  const samples = Array.from({ length: runs }, (_, run) => {
    const { up } = simulateFlow(profile, {
      seed: 1000 + run,
      clients: learners,
      durationUs: (seconds + 2) * 1e6,
      warmupUs: 2e6,
      up: { bytes, intervalUs: 20_000 },
    });
    const sorted = new Float64Array(up.written).fill(Number.POSITIVE_INFINITY);
    sorted.set(up.latenciesUs.map((us) => us / 1000));
    return sorted.sort();
  });
  const names = Object.keys(figures) as Figure[];
  return Object.fromEntries(
    names.map((name) => [name, rangeOf(samples.map(figures[name]).sort((a, b) => a - b))]),
  ) as Record<Figure, Range>;
}

function rangeOf(sorted: readonly number[]): Range {
  const at = (share: number) => quantileOfSorted(sorted, share);
  return { low: at(0.025), middle: at(0.5), high: at(0.975) };
}
