import { decompose } from '../../src/budget/decompose/decompose.ts';
import { clustersOf } from '../../src/budget/sample/clusters.ts';
import { type Sample, sampleOf } from '../../src/budget/sample/sample.ts';
import { answerWhatIf } from '../../src/budget/what-if.ts';
import { normalQuantile } from '../../src/stats/distributions.ts';
import { createRandom, type Random } from '../../src/stats/random.ts';
import { lengthOf } from './loadtest.ts';

/** Traces of six independent normal stages, of each of which a part `alike` of the variance is the session's. */
export type BudgetCase = { sessions: number; traces: number; alike: number; lengths: number; percentile: number };

/** Shares of replicates. */
export type BudgetCoverage = {
  /** The interval of the percentile holds the true one; it has no upper end; it lies below the true one: a false pass. */
  covered: number;
  open: number;
  falsePass: number;
  /** The intervals of the six shares hold theirs, on average and the largest stage's; and its mean error, ms. */
  shares: number;
  largest: number;
  largestBiasMs: number;
  /** The interval after the largest stage is made a third faster. */
  whatIf: number;
};

const means = [55, 12, 20, 170, 26, 50];
const deviations = [15, 4, 6, 50, 9, 18];
const largest = 3;
const factor = 2 / 3;
const confidence = 0.95;

/** `assumeIndependent`: as it was, each trace taken as a session of its own. */
export function coverage(
  one: BudgetCase,
  replicates: number,
  seed: number,
  { assumeIndependent = false } = {},
): BudgetCoverage {
  const random = createRandom(seed);
  const p = one.percentile / 100;
  const truth = truthOf(p, means, deviations);
  const faster = truthOf(
    p,
    means.map((mean, i) => (i === largest ? mean * factor : mean)),
    deviations.map((deviation, i) => (i === largest ? deviation * factor : deviation)),
  );
  const sum = { covered: 0, open: 0, falsePass: 0, shares: 0, largest: 0, largestBiasMs: 0, whatIf: 0 };
  for (let replicate = 0; replicate < replicates; replicate++) {
    const drawn = drawTraces(random, one);
    const sample = assumeIndependent ? { ...drawn, clusters: undefined } : drawn;
    const found = decompose(sample, { p, confidence, replicates: 200, seed: replicate });
    sum.covered += Number(holds(found.interval, truth.total));
    sum.open += Number(!Number.isFinite(found.interval.high));
    sum.falsePass += Number(found.interval.high < truth.total);
    const held = found.contributions.map(({ interval }, i) => Number(holds(interval, truth.shares[i]!)));
    sum.shares += held.reduce((all, each) => all + each, 0) / held.length;
    sum.largest += held[largest]!;
    sum.largestBiasMs += found.contributions[largest]!.ms - truth.shares[largest]!;
    const whatIf = { name: 'faster', changes: [{ stage: `s${largest}`, kind: 'scale', factor } as const] };
    const { interval } = answerWhatIf(sample, whatIf, { p, valueMs: Number.POSITIVE_INFINITY, confidence });
    sum.whatIf += Number(holds(interval, faster.total));
  }
  for (const key of Object.keys(sum) as (keyof BudgetCoverage)[]) sum[key] /= replicates;
  return sum;
}

/** mu + z sd of the sum, and its parts: mu_i + z sd_i^2 / sd. */
function truthOf(p: number, mu: readonly number[], sd: readonly number[]): { total: number; shares: number[] } {
  const z = normalQuantile(p);
  const whole = Math.hypot(...sd);
  const shares = mu.map((mean, i) => mean + (z * sd[i]! ** 2) / whole);
  return { total: shares.reduce((sum, share) => sum + share, 0), shares };
}

function drawTraces(random: Random, { sessions, traces, alike, lengths }: BudgetCase): Sample {
  const [ofSession, ofTrace] = [Math.sqrt(alike), Math.sqrt(1 - alike)];
  const columns = means.map((): number[] => []);
  const names: string[] = [];
  for (let session = 0; session < sessions; session++) {
    const own = means.map(() => random.normal());
    for (let left = lengthOf(random, { samples: traces, lengths }); left > 0; left--) {
      names.push(`${session}`);
      for (let i = 0; i < means.length; i++)
        columns[i]!.push(means[i]! + deviations[i]! * (ofSession * own[i]! + ofTrace * random.normal()));
    }
  }
  const stages = columns.map((ms, i) => ({ name: `s${i}`, ms: Float64Array.from(ms) }));
  return { ...sampleOf(stages), clusters: clustersOf(names, names.length) };
}

function holds({ low, high }: { low: number; high: number }, value: number): boolean {
  return low <= value && value <= high;
}
