import type { Sample } from '../sample/sample.ts';
import { weightAt } from './kernel.ts';
import { gatherWindow, reachOf, WeightedSum, type Window } from './window.ts';

/**
 * Each stage's mean as a function of the total near `atMs`: local linear regression with Gaussian
 * kernel weights (Fan 1992).
 */
export type LocalFit = {
  atMs: number;
  bandwidth: number;
  window: Window;
  sum: WeightedSum;
  /** In the sample's order, unattributed time last, ms; they sum to `atMs`. */
  contributions: Float64Array;
};

/** `atMs` is finite and has traces near it. */
export function fitAt(sample: Sample, sorted: Float64Array, atMs: number, bandwidth: number): LocalFit {
  const { from, to } = reachOf(sorted, atMs, bandwidth);
  const window = gatherWindow(sample, sorted, sorted[from]!, sorted[to - 1]!);
  const sum = new WeightedSum(window, atMs, bandwidth);
  for (let position = from; position < to; position++) sum.add(position);
  return { atMs, bandwidth, window, sum, contributions: sum.contributions() };
}

/**
 * The traces of a fit by unit: by session, or each for itself where nobody names sessions. The rows
 * of unit k are `rows[starts[k]]` up to `rows[starts[k + 1]]`.
 */
export type NearUnits = {
  starts: Uint32Array;
  rows: Uint32Array;
  /** The kernel's weight of each unit. */
  weights: Float64Array;
  /** Each unit's code among the sample's sessions, or its trace. */
  codes: Uint32Array;
  /** Units in the whole sample. */
  all: number;
};

export function nearUnits({ clusters, n }: Sample, { window, atMs, bandwidth }: LocalFit): NearUnits {
  const { indices, totals } = window;
  const codeOf = (row: number) => (clusters ? clusters.codes[indices[row]!]! : indices[row]!);
  const rows = Uint32Array.from(indices.keys());
  if (clusters) rows.sort((a, b) => codeOf(a) - codeOf(b));
  const starts: number[] = [];
  const codes: number[] = [];
  for (let i = 0; i < rows.length; i++) {
    const code = codeOf(rows[i]!);
    if (code === codes.at(-1)) continue;
    starts.push(i);
    codes.push(code);
  }
  starts.push(rows.length);
  const weights = Float64Array.from(codes, (_, k) => {
    let weight = 0;
    for (let i = starts[k]!; i < starts[k + 1]!; i++) weight += weightAt(totals[rows[i]!]! - atMs, bandwidth);
    return weight;
  });
  return {
    starts: Uint32Array.from(starts),
    rows,
    weights,
    codes: Uint32Array.from(codes),
    all: clusters ? clusters.count : n,
  };
}
