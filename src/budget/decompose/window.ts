import { lowerBound, upperBound } from '../../stats/bisect.ts';
import type { Sample } from '../sample/sample.ts';
import { kernelReach, weightAt } from './kernel.ts';

/**
 * The traces whose totals lie near a percentile, ascending, a row each: its stages, then its
 * unattributed time, ms.
 */
export type Window = {
  /** Position of the first row among all traces in ascending order of total. */
  first: number;
  /** Which trace of the sample each row is. */
  indices: Uint32Array;
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
  return { first, indices, totals: sortedTotals.slice(first, first + indices.length), rows, width: columns.length };
}

/**
 * Sums rows by their kernel weight about one percentile, and the same times their distance from it.
 */
export class WeightedSum {
  readonly #window: Window;
  readonly #q: number;
  readonly #bandwidth: number;
  readonly #sums: Float64Array;
  readonly #moments: Float64Array;
  /** Sums of the weight w, w d and w d^2, d being a total's distance from the percentile. */
  #weight = 0;
  #distance = 0;
  #square = 0;

  constructor(window: Window, q: number, bandwidth: number) {
    this.#window = window;
    this.#q = q;
    this.#bandwidth = bandwidth;
    this.#sums = new Float64Array(window.width);
    this.#moments = new Float64Array(window.width);
  }

  /**
   * Adds the trace at `position` of the ascending order, so many times; it must lie in the window.
   */
  add(position: number, times = 1): void {
    const { first, totals, rows, width } = this.#window;
    const row = position - first;
    const distance = totals[row]! - this.#q;
    const weight = times * weightAt(distance, this.#bandwidth);
    this.#weight += weight;
    this.#distance += weight * distance;
    this.#square += weight * distance * distance;
    for (let c = 0, at = row * width; c < width; c++, at++) {
      this.#sums[c]! += weight * rows[at]!;
      this.#moments[c]! += weight * distance * rows[at]!;
    }
  }

  /** Adds what another sum over the same window, about the same percentile, has. */
  merge(other: WeightedSum): void {
    this.#weight += other.#weight;
    this.#distance += other.#distance;
    this.#square += other.#square;
    for (let c = 0; c < this.#sums.length; c++) {
      this.#sums[c]! += other.#sums[c]!;
      this.#moments[c]! += other.#moments[c]!;
    }
  }

  /**
   * Each stage's mean at the percentile by local linear regression on the total (Fan 1992), whose
   * values sum to the percentile itself. Where all totals near are equal, their mean.
   */
  contributions(): Float64Array {
    const [s0, s1, s2] = [this.#weight, this.#distance, this.#square];
    const determinant = this.#determinant;
    if (determinant !== undefined) return this.#sums.map((sum, c) => (s2 * sum - s1 * this.#moments[c]!) / determinant);
    const total = s0 * this.#q + s1;
    return total === 0 ? new Float64Array(this.#sums.length) : this.#sums.map((sum) => (sum / total) * this.#q);
  }

  /**
   * By how much each stage's mean grows with the total there; 0 where all totals near are equal.
   */
  slopes(): Float64Array {
    const determinant = this.#determinant;
    if (determinant === undefined) return new Float64Array(this.#sums.length);
    return this.#sums.map((sum, c) => (this.#weight * this.#moments[c]! - this.#distance * sum) / determinant);
  }

  /**
   * How much a trace so far from the percentile, ms, weighs in the contributions, but for a common
   * factor.
   */
  leverage(distance: number): number {
    const weight = weightAt(distance, this.#bandwidth);
    return this.#determinant === undefined ? weight : weight * (this.#square - this.#distance * distance);
  }

  get #determinant(): number | undefined {
    const [s0, s1, s2] = [this.#weight, this.#distance, this.#square];
    const determinant = s0 * s2 - s1 * s1;
    return determinant > leastSpread * s0 * s2 ? determinant : undefined;
  }
}

/** Below this part of it the spread of the totals is the rounding of doubles. */
const leastSpread = 1e-9;

/** Positions [from, to) of the traces within the kernel's reach of `q`. */
export function reachOf(sortedTotals: Float64Array, q: number, bandwidth: number): { from: number; to: number } {
  const reach = kernelReach * bandwidth;
  return { from: lowerBound(sortedTotals, q - reach), to: upperBound(sortedTotals, q + reach) };
}
