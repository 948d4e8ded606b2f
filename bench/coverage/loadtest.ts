import { addClusterSums, emptyClusterSums, SessionTail, sessionSums } from '../../src/metrics/cluster-sums.ts';
import { dependence, provesShare } from '../../src/slo/objective/clustered.ts';
import { confidence } from '../../src/slo/objective/judging.ts';
import { binomialCdf, normalQuantile } from '../../src/stats/distributions.ts';
import { createRandom, type Random } from '../../src/stats/random.ts';
import { drawBinomial, drawGamma } from '../../src/stats/variates.ts';

/** Sessions of a load test whose true value sits exactly on the objective's bound, so that every pass is a false one. */
export type LoadtestCase = {
  /**
   * `quantile`: log-normal latencies (sd .5 of the logarithm), of which a part `alike` of the variance is the session's.
   * `share`: each session misses with a chance of its own, logit-normal with sd `alike`.
   * `beta-share`: the same, beta-distributed with intra-class correlation `alike`.
   */
  kind: 'quantile' | 'share' | 'beta-share';
  /** The share that may miss: .05 for a p95. */
  missShare: number;
  sessions: number;
  /** Of one session, on average. */
  samples: number;
  alike: number;
  /** Sd of the logarithm of a session's length; 0: all are equally long. */
  lengths: number;
};

/** How often a run passes falsely, taking sessions as independent, and taking all samples as. */
export function falseProofs(
  one: LoadtestCase,
  replicates: number,
  seed: number,
): { bySessions: number; bySamples: number } {
  const random = createRandom(seed);
  const draw =
    one.kind === 'quantile' ? latencySession(one) : shareSession(one.kind === 'share' ? logit(one) : beta(one));
  let [bySessions, bySamples] = [0, 0];
  for (let replicate = 0; replicate < replicates; replicate++) {
    const sums = emptyClusterSums();
    for (let i = 0; i < one.sessions; i++) addClusterSums(sums, draw(random, lengthOf(random, one)));
    const { missShare } = one;
    const worth = dependence([sums], { missShare, confidence, latencies: one.kind === 'quantile' });
    if (worth && provesShare(worth, missShare, confidence)) bySessions++;
    if (binomialCdf(sums.misses, sums.samples, missShare) <= 1 - confidence) bySamples++;
  }
  return { bySessions: bySessions / replicates, bySamples: bySamples / replicates };
}

export function lengthOf(random: Random, { samples, lengths }: { samples: number; lengths: number }): number {
  if (lengths === 0) return samples;
  return Math.max(1, Math.round(samples * Math.exp(lengths * random.normal() - lengths ** 2 / 2)));
}

function latencySession({ missShare, alike }: LoadtestCase) {
  const limit = normalQuantile(1 - missShare);
  const [ofSession, ofSample] = [Math.sqrt(alike), Math.sqrt(1 - alike)];
  return (random: Random, n: number) => {
    const own = ofSession * random.normal();
    const tail = new SessionTail();
    let misses = 0;
    for (let i = 0; i < n; i++) {
      const z = own + ofSample * random.normal();
      if (z > limit) misses++;
      tail.add(100 * Math.exp(0.5 * z));
    }
    return sessionSums(n, misses, tail);
  };
}

function shareSession(chance: (random: Random) => number) {
  return (random: Random, n: number) => sessionSums(n, drawBinomial(random, n, chance(random)));
}

function logit({ missShare, alike }: LoadtestCase) {
  const middle = logitMiddle(missShare, alike);
  return (random: Random) => 1 / (1 + Math.exp(-(middle + alike * random.normal())));
}

function beta({ missShare, alike }: LoadtestCase) {
  const both = 1 / alike - 1;
  return (random: Random) => {
    const [missed, kept] = [missShare * both, (1 - missShare) * both].map((shape) => gamma(random, shape));
    return missed! + kept! === 0 ? 0 : missed! / (missed! + kept!);
  };
}

/** Of any shape: one of the next shape times u^(1 / shape). */
function gamma(random: Random, shape: number): number {
  return drawGamma(random, shape + 1) * random.uniform() ** (1 / shape);
}

/** The middle of a logit-normal of that sd whose mean is `mean`. */
function logitMiddle(mean: number, sd: number): number {
  const points = Array.from({ length: 10_000 }, (_, i) => normalQuantile((i + 0.5) / 10_000));
  const meanAt = (middle: number) =>
    points.reduce((sum, z) => sum + 1 / (1 + Math.exp(-(middle + sd * z))), 0) / points.length;
  let [low, high] = [-20, 5];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (meanAt(middle) < mean) low = middle;
    else high = middle;
  }
  return low;
}
