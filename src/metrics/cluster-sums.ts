/**
 * What the sessions of a test say of one objective: sums over sessions of n samples, m misses, and of the logarithms y of
 * the samples (ms) with their sum Y in a session. They add up over generators and slices.
 */
export type ClusterSums = {
  sessions: number;
  /** n, m, n^2, m^2, n m. */
  samples: number;
  misses: number;
  samplesSquared: number;
  missesSquared: number;
  missesSamples: number;
  /** Y, the sum of y^2, Y^2 / n; 0 where samples have no size. */
  logSum: number;
  logSquares: number;
  logBetween: number;
};

export function emptyClusterSums(): ClusterSums {
  return {
    sessions: 0,
    samples: 0,
    misses: 0,
    samplesSquared: 0,
    missesSquared: 0,
    missesSamples: 0,
    logSum: 0,
    logSquares: 0,
    logBetween: 0,
  };
}

export function addClusterSums(into: ClusterSums, other: ClusterSums): void {
  for (const key of Object.keys(into) as (keyof ClusterSums)[]) into[key] += other[key];
}
