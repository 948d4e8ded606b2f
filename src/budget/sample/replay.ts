import { quantileInPlace } from '../../stats/quantile.ts';
import type { Change } from '../file/budget.ts';
import type { Sample } from './sample.ts';

/**
 * The same traces with stages changed, one after the other. Stages are replayed as they happened
 * together, so their dependence is kept; the total moves by what the stages do. A shift moves every
 * trace, and so every percentile, by exactly itself, even below 0 (see `tracesBelowZero`).
 */
export function replay(sample: Sample, changes: readonly Change[]): Sample {
  const totals = sample.totals.slice();
  const stages = sample.stages.map(({ name, ms }) => {
    const own = changes.filter(({ stage }) => stage === name);
    if (own.length === 0) return { name, ms };
    const changed = ms.slice();
    for (const change of own) applyChange(changed, change);
    for (let i = 0; i < sample.n; i++) totals[i]! += changed[i]! - ms[i]!;
    return { name, ms: changed };
  });
  return { ...sample, stages, totals };
}

/** The p-quantile of the total, ms. */
export function percentileMs(sample: Sample, p: number): number {
  return quantileInPlace(sample.totals.slice(), p);
}

/**
 * In how many traces a change takes more from a stage than it has: a sign that it promises too
 * much.
 */
export function tracesBelowZero(before: Sample, after: Sample): number {
  let below = 0;
  after.stages.forEach(({ ms }, s) => {
    const was = before.stages[s]!.ms;
    // A stage declared normal may be below 0 without any change.
    if (ms !== was) for (let i = 0; i < after.n; i++) if (ms[i]! < 0 && was[i]! >= 0) below++;
  });
  return below;
}

function applyChange(ms: Float64Array, change: Change): void {
  for (let i = 0; i < ms.length; i++) ms[i] = changedMs(ms[i]!, change);
}

function changedMs(ms: number, change: Change): number {
  switch (change.kind) {
    case 'shift':
      return ms + change.byMs;
    case 'scale':
      return ms * change.factor;
    case 'cap':
      return Math.min(ms, change.atMs);
    case 'remove':
      return 0;
  }
}
