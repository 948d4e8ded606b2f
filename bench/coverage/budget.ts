import { decompose } from '../../src/budget/decompose/decompose.ts';
import { quantileInterval, worthAt } from '../../src/budget/decompose/worth.ts';
import { clustersOf } from '../../src/budget/sample/clusters.ts';
import { pick, type Sample, sampleOf } from '../../src/budget/sample/sample.ts';
import { answerWhatIf } from '../../src/budget/what-if.ts';
import { normalQuantile } from '../../src/stats/distributions.ts';
import { quantileOfSorted } from '../../src/stats/quantile.ts';
import { createRandom, type Random } from '../../src/stats/random.ts';
import { lengthOf } from './loadtest.ts';

/**
 * Traces of six independent normal stages, of each of which a part `alike` of the variance is the session's: of all stages, of the
 * largest alone, or of the others.
 */
export type BudgetCase = {
  sessions: number;
  traces: number;
  alike: number;
  alikeIn?: 'all' | 'largest' | 'others';
  lengths: number;
  percentile: number;
};

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
  /** The percentile of a group (`--by`) that has half of the sessions, and the share of its largest stage. */
  group: number;
  groupLargest: number;
};

const means = [55, 12, 20, 170, 26, 50];
const deviations = [15, 4, 6, 50, 9, 18];
const largest = 3;
const factor = 2 / 3;
const confidence = 0.95;

/**
 * `assumeIndependent`: as it was, each trace taken as a session of its own. Shares take a bootstrap each, so that they are looked
 * at in only `sharesOf` of the replicates.
 */
export function coverage(
  one: BudgetCase,
  replicates: number,
  seed: number,
  { assumeIndependent = false, sharesOf = replicates } = {},
): BudgetCoverage {
  const random = createRandom(seed);
  const p = one.percentile / 100;
  const truth = truthOf(p, means, deviations);
  const faster = truthOf(
    p,
    means.map((mean, i) => (i === largest ? mean * factor : mean)),
    deviations.map((deviation, i) => (i === largest ? deviation * factor : deviation)),
  );
  const whatIf = { name: 'faster', changes: [{ stage: `s${largest}`, kind: 'scale', factor } as const] };
  const ofAll = { covered: 0, open: 0, falsePass: 0, whatIf: 0, group: 0 };
  const ofShares = { shares: 0, largest: 0, largestBiasMs: 0, groupLargest: 0 };
  for (let replicate = 0; replicate < replicates; replicate++) {
    const drawn = drawTraces(random, one);
    const sample = assumeIndependent ? { ...drawn, clusters: undefined } : drawn;
    const group = pick(sample, halfOf(random, drawn));
    const interval = intervalOf(sample, p);
    ofAll.covered += Number(holds(interval, truth.total));
    ofAll.open += Number(!Number.isFinite(interval.high));
    ofAll.falsePass += Number(interval.high < truth.total);
    ofAll.group += Number(holds(intervalOf(group, p), truth.total));
    const answer = answerWhatIf(sample, whatIf, { p, valueMs: Number.POSITIVE_INFINITY, confidence });
    ofAll.whatIf += Number(holds(answer.interval, faster.total));
    if (replicate >= sharesOf) continue;
    const [whole, part] = [sample, group].map(
      (each) => decompose(each, { p, confidence, replicates: 200, seed: replicate }).contributions,
    );
    const held = whole!.map((share, i) => Number(holds(share.interval, truth.shares[i]!)));
    ofShares.shares += held.reduce((all, each) => all + each, 0) / held.length;
    ofShares.largest += held[largest]!;
    ofShares.largestBiasMs += whole![largest]!.ms - truth.shares[largest]!;
    ofShares.groupLargest += Number(holds(part![largest]!.interval, truth.shares[largest]!));
  }
  for (const key of Object.keys(ofAll) as (keyof typeof ofAll)[]) ofAll[key] /= replicates;
  for (const key of Object.keys(ofShares) as (keyof typeof ofShares)[]) ofShares[key] /= sharesOf;
  return { ...ofAll, ...ofShares };
}

/** As `decompose` takes it. */
function intervalOf({ totals, clusters }: Sample, p: number): { low: number; high: number } {
  const sorted = totals.slice().sort();
  const worth = worthAt(totals, quantileOfSorted(sorted, p), { clusters, confidence });
  return quantileInterval(sorted, p, worth, confidence);
}

/** The traces of about half of the sessions. */
function halfOf(random: Random, { n, clusters }: Sample): number[] {
  const chosen = Array.from({ length: clusters?.count ?? n }, () => random.uniform() < 0.5);
  return Array.from({ length: n }, (_, i) => i).filter((i) => chosen[clusters ? clusters.codes[i]! : i]);
}

/** mu + z sd of the sum, and its parts: mu_i + z sd_i^2 / sd. */
function truthOf(p: number, mu: readonly number[], sd: readonly number[]): { total: number; shares: number[] } {
  const z = normalQuantile(p);
  const whole = Math.hypot(...sd);
  const shares = mu.map((mean, i) => mean + (z * sd[i]! ** 2) / whole);
  return { total: shares.reduce((sum, share) => sum + share, 0), shares };
}

function drawTraces(random: Random, { sessions, traces, alike, alikeIn = 'all', lengths }: BudgetCase): Sample {
  const parts = means.map((_, i) => (alikeIn === 'all' || (alikeIn === 'largest') === (i === largest) ? alike : 0));
  const columns = means.map((): number[] => []);
  const names: string[] = [];
  for (let session = 0; session < sessions; session++) {
    const own = means.map(() => random.normal());
    for (let left = lengthOf(random, { samples: traces, lengths }); left > 0; left--) {
      names.push(`${session}`);
      for (let i = 0; i < means.length; i++)
        columns[i]!.push(
          means[i]! + deviations[i]! * (Math.sqrt(parts[i]!) * own[i]! + Math.sqrt(1 - parts[i]!) * random.normal()),
        );
    }
  }
  const stages = columns.map((ms, i) => ({ name: `s${i}`, ms: Float64Array.from(ms) }));
  return { ...sampleOf(stages), clusters: clustersOf(names, names.length) };
}

function holds({ low, high }: { low: number; high: number }, value: number): boolean {
  return low <= value && value <= high;
}
