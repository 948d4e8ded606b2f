import { samplesForMargin, samplesToProve } from '../../stats/sample-size.ts';

/** How many events a load test needs for a promise. */
export type ProofSizes = {
  /** The fewest that prove it at 95 % although so many of them miss. */
  toProve: readonly { misses: number; events: number }[];
  /**
   * Events that measure the good share to a twentieth of what the target allows, at 99 % (MLPerf's
   * rule).
   */
  toMeasure: { margin: number; events: number };
};

/**
 * For a target of 99 %: 299, 473 and 1,693 events with 0, 1 and 10 misses; 262,742 to measure it to
 * +-.05 %.
 */
export function proofSizes(target: number): ProofSizes {
  const missShare = 1 - target;
  const margin = Number((missShare / 20).toPrecision(12));
  return {
    toProve: [0, 1, 10].map((misses) => ({ misses, events: samplesToProve(missShare, misses, 0.95) })),
    toMeasure: { margin, events: samplesForMargin(target, margin, 0.99) },
  };
}
