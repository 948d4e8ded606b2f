/**
 * What the sessions of a test say of one objective: sums over sessions of n samples and m misses.
 * For a mean, m is the sum of a session's samples, ms. They add up over generators and slices.
 */
export type ClusterSums = {
  sessions: number;
  /** n, m, n^2, m^2, n m. */
  samples: number;
  misses: number;
  samplesSquared: number;
  missesSquared: number;
  missesSamples: number;
  /** n^3, n^2 m, n m^2: how much of the spread is of the largest sessions. */
  samplesCubed: number;
  samplesSquaredMisses: number;
  samplesMissesSquared: number;
  /** n^4: how well that spread is known. */
  samplesFourth: number;
  /**
   * Sums over sessions of c, c^2 and c N, for each rung of the latencies behind the objective in
   * turn, c being a session's samples above the rung and N all of them. Empty where there are none.
   * Rung 0 is below every sample, rung k stands at 2^((k - 1) / 16) ms, the last at 66 s.
   */
  tails: number[];
};

const rungsPerOctave = 16;
/** As many as it takes from 1 ms to 2^16 ms, and the one below everything. */
export const rungs = 16 * rungsPerOctave + 2;

export function emptyClusterSums(): ClusterSums {
  return {
    sessions: 0,
    samples: 0,
    misses: 0,
    samplesSquared: 0,
    missesSquared: 0,
    missesSamples: 0,
    samplesCubed: 0,
    samplesSquaredMisses: 0,
    samplesMissesSquared: 0,
    samplesFourth: 0,
    tails: [],
  };
}

/**
 * Sums of one session with `n` samples and `m` misses, and with the latencies behind them if there
 * are any.
 */
export function sessionSums(n: number, m: number, tail?: SessionTail): ClusterSums {
  return {
    sessions: 1,
    samples: n,
    misses: m,
    samplesSquared: n * n,
    missesSquared: m * m,
    missesSamples: m * n,
    samplesCubed: n ** 3,
    samplesSquaredMisses: n * n * m,
    samplesMissesSquared: n * m * m,
    samplesFourth: n ** 4,
    tails: tail?.sums() ?? [],
  };
}

export function addClusterSums(into: ClusterSums, other: ClusterSums): void {
  for (const key of Object.keys(into) as (keyof ClusterSums)[]) if (key !== 'tails') into[key] += other[key];
  while (into.tails.length < other.tails.length) into.tails.push(0);
  for (let i = 0; i < other.tails.length; i++) into.tails[i]! += other.tails[i]!;
}

/** How many latencies of one session lie above each rung. */
export class SessionTail {
  /** Counts latencies by the highest rung below them. */
  readonly #counts = new Uint32Array(rungs);

  /** One latency, ms; Infinity: it never came. */
  add(ms: number): void {
    const rung = ms <= 1 ? 0 : Math.min(rungs - 1, Math.ceil(rungsPerOctave * Math.log2(ms)));
    this.#counts[rung]! += 1;
  }

  /** c, c^2 and c n of each rung. */
  sums(): number[] {
    const sums = new Array<number>(3 * rungs);
    const all = this.#counts.reduce((sum, count) => sum + count, 0);
    for (let rung = rungs - 1, above = 0; rung >= 0; rung--) {
      above += this.#counts[rung]!;
      sums[3 * rung] = above;
      sums[3 * rung + 1] = above * above;
      sums[3 * rung + 2] = above * all;
    }
    return sums;
  }
}
