import { lowerBound, upperBound } from '../../stats/bisect.ts';
import type { Sample } from '../sample/sample.ts';
import { kernelReach, weightAt } from './kernel.ts';

/** The traces whose totals lie near a percentile, ascending, a row each: its stages, then its unattributed time, ms. */
export type Window = {
  /** Position of the first row among all traces in ascending order of total. */
  first: number;
  totals: Float64Array;
  rows: Float64Array;
  width: number;
};

/** Gathers the rows with lowMs <= total <= highMs. */
export function gatherWindow(sample: Sample, sortedTotals: Float64Array, lowMs: number, highMs: number): Window {
  const first = lowerBound(sortedTotals, lowMs);
  const indices = new Uint32Array(upperBound(sortedTotals, highMs) - first);
  let found = 0;
  for (let i = 0; i < sample.n; i++) {
    const total = sample.totals[i]!;
    if (total >= lowMs && total <= highMs) indices[found++] = i;
  }
  const { totals } = sample;
  indices.sort((a, b) => totals[a]! - totals[b]!);
  const columns = [...sample.stages.map(({ ms }) => ms), sample.unattributed];
  const rows = new Float64Array(indices.length * columns.length);
  for (let row = 0; row < indices.length; row++) {
    for (let c = 0; c < columns.length; c++) rows[row * columns.length + c] = columns[c]![indices[row]!]!;
  }
  return { first, totals: sortedTotals.slice(first, first + indices.length), rows, width: columns.length };
}

/** Sums rows by their kernel weight about one percentile. */
export class WeightedSum {
  readonly sums: Float64Array;
  readonly #window: Window;
  readonly #q: number;
  readonly #bandwidth: number;

  constructor(window: Window, q: number, bandwidth: number) {
    this.#window = window;
    this.#q = q;
    this.#bandwidth = bandwidth;
    this.sums = new Float64Array(window.width);
  }

  /** Adds the trace at `position` of the ascending order; it must lie in the window. */
  add(position: number): void {
    const { first, totals, rows, width } = this.#window;
    const row = position - first;
    const weight = weightAt(totals[row]! - this.#q, this.#bandwidth);
    const { sums } = this;
    for (let c = 0, at = row * width; c < width; c++, at++) sums[c]! += weight * rows[at]!;
  }

  /** The shares, rescaled so that they sum to the percentile itself: the kernel's mean total is not quite q. */
  contributions(): Float64Array {
    let total = 0;
    for (const sum of this.sums) total += sum;
    return total === 0 ? new Float64Array(this.sums.length) : this.sums.map((sum) => (sum / total) * this.#q);
  }
}

/** Positions [from, to) of the traces within the kernel's reach of `q`. */
export function reachOf(sortedTotals: Float64Array, q: number, bandwidth: number): { from: number; to: number } {
  const reach = kernelReach * bandwidth;
  return { from: lowerBound(sortedTotals, q - reach), to: upperBound(sortedTotals, q + reach) };
}
