import { type Distribution, quantile } from '../../metrics/definitions.ts';
import { type Bucket, bucketedShift } from '../../stats/bucketed-shift.ts';
import { hodgesLehmann } from '../../stats/shift.ts';
import { welchShift } from '../../stats/student.ts';
import { type ComparedShare, shiftOfShare } from './compare-shares.ts';
import { type ComparisonWord, comparisonWord } from './comparison-word.ts';

/** One side of a comparison: one run, or several of one scenario. */
export type ComparedSide = { runs: readonly ComparedRun[] };

export type ComparedRun = {
  /**
   * What is independent in a run: sessions that were attempted, by their lengths, (sum n)^2 / (sum
   * n^2).
   */
  sessions: number;
  distributions: Readonly<Record<string, Distribution>>;
  /** p95 of each session, ms; Infinity where it never came. */
  sessionP95Ms: readonly number[];
  /** The latency that those are of; default feedback_latency. */
  sessionP95Of?: string;
  shares: Readonly<Record<string, ComparedShare>>;
  /** What should be rare, as shares of what was not so: word errors, as words less errors. */
  rates?: Readonly<Record<string, ComparedShare>>;
};

/**
 * How large a change must be to matter: a share of the baseline's value, and at least so many ms.
 */
export type Margin = { share: number; leastMs: number };

export type ComparedMetric = {
  /** `p50(final_latency)`, `availability`. */
  metric: string;
  /** The metric that it reads, as objectives name it: `final_latency`. */
  of: string;
  unit: 'ms' | 'share';
  baseline: number;
  candidate: number;
  /** How far the candidate lies above the baseline, and its interval at 95 %. */
  shift: number;
  lower: number;
  upper: number;
  margin: number;
  verdict: ComparisonWord;
  method: 'mann-whitney' | 'welch' | 'shares';
};

/** Two-sided, of every interval. */
const comparisonConfidence = 0.95;

/**
 * The points by which an availability must fall to matter: what a 99.95 % promise allows in all,
 * twice.
 */
const shareMargin = 0.001;

/** The points by which a rate must rise to matter: one word of a hundred. */
const rateMargin = 0.01;

/**
 * Compares what learners felt, metric by metric. With one run a side, sessions are the
 * observations: latencies by Mann-Whitney and Hodges-Lehmann on the histograms as if each session
 * told one thing, the tail by the sessions' own p95. With two runs or more a side, runs are the
 * observations and the interval is Welch's, so that what changes from run to run by itself is no
 * change. Shares go by sessions, or by runs, as well (`shiftOfShare`). Metrics that a side does not
 * have are left out.
 */
export function compareRuns(baseline: ComparedSide, candidate: ComparedSide, margin: Margin): ComparedMetric[] {
  const several = baseline.runs.length > 1 && candidate.runs.length > 1;
  const names = Object.keys(baseline.runs[0]!.distributions);
  const latencies = names.flatMap((name) => {
    const [a, b] = [baseline, candidate].map(({ runs }) => runs.map((run) => run.distributions[name]!));
    if (![...a!, ...b!].every(({ samples }) => samples > 0)) return [];
    if (several) return [0.5, 0.95].map((p) => acrossRuns(name, p, a!, b!, margin));
    return [acrossSessions(name, baseline.runs[0]!, candidate.runs[0]!, margin)];
  });
  const shares = Object.keys(baseline.runs[0]!.shares).flatMap((name) => compareShares(name, baseline, candidate));
  const rates = Object.keys(baseline.runs[0]!.rates ?? {}).flatMap((name) => compareRates(name, baseline, candidate));
  const ends = several ? [] : tails(baseline.runs[0]!, candidate.runs[0]!, margin);
  return [...latencies, ...ends, ...shares, ...rates];
}

function acrossSessions(name: string, a: ComparedRun, b: ComparedRun, margin: Margin): ComparedMetric {
  const [was, is] = [a.distributions[name]!, b.distributions[name]!];
  const independent = { a: Math.min(b.sessions, is.samples), b: Math.min(a.sessions, was.samples) };
  const shift = bucketedShift(bucketsOf(is), bucketsOf(was), { independent, confidence: comparisonConfidence });
  const values = { baseline: quantile(was, 0.5)!, candidate: quantile(is, 0.5)! };
  return judged(
    { metric: `p50(${name})`, of: name, unit: 'ms', ...values, ...ends(shift), method: 'mann-whitney' },
    margin,
  );
}

function tails(a: ComparedRun, b: ComparedRun, margin: Margin): ComparedMetric[] {
  if (a.sessionP95Ms.length === 0 || b.sessionP95Ms.length === 0) return [];
  const found = hodgesLehmann(b.sessionP95Ms, a.sessionP95Ms, comparisonConfidence);
  // With a handful of sessions even all differences together do not make 95 %.
  const enough = found.coverage > comparisonConfidence - 0.02;
  const shift = enough ? found : { ...found, lower: -never, upper: never };
  const values = { baseline: median(a.sessionP95Ms), candidate: median(b.sessionP95Ms) };
  const { sessionP95Of: of = 'feedback_latency' } = a;
  const metric = `p95(${of}) a session`;
  return [judged({ metric, of, unit: 'ms', ...values, ...ends(shift), method: 'mann-whitney' }, margin)];
}

function acrossRuns(name: string, p: number, a: Distribution[], b: Distribution[], margin: Margin): ComparedMetric {
  const [was, is] = [a, b].map((runs) => runs.map((run) => quantile(run, p)!)) as [number[], number[]];
  const values = { baseline: meanOf(was), candidate: meanOf(is), ...runShift(is, was) };
  return judged({ metric: `p${p * 100}(${name})`, of: name, unit: 'ms', ...values, method: 'welch' }, margin);
}

/**
 * Shift of the runs' means. Where quantiles never came it is certain only when they came in no run
 * of one side and in every run of the other.
 */
function runShift(is: readonly number[], was: readonly number[]) {
  if ([...is, ...was].every(Number.isFinite)) {
    const { mean, lower, upper } = welchShift(is, was, comparisonConfidence);
    return { shift: mean, lower, upper };
  }
  const came = [is, was].map((values) => values.filter(Number.isFinite).length);
  const shift = came[0] === came[1] ? 0 : came[0]! < came[1]! ? never : -never;
  const certain = (came[0] === 0 && came[1] === was.length) || (came[1] === 0 && came[0] === is.length);
  return certain ? { shift, lower: shift, upper: shift } : { shift, lower: -never, upper: never };
}

const never = Number.POSITIVE_INFINITY;

function compareShares(name: string, a: ComparedSide, b: ComparedSide): ComparedMetric[] {
  const [was, is] = [a, b].map(({ runs }) => runs.map((run) => run.shares[name]!)) as [
    ComparedShare[],
    ComparedShare[],
  ];
  const figures = shiftOfShare(was, is, { margin: shareMargin, confidence: comparisonConfidence });
  if (!figures) return [];
  const verdict = comparisonWord(figures, shareMargin, 'fall');
  // No two shares differ by more than all.
  const possible = { lower: Math.max(-1, figures.lower), upper: Math.min(1, figures.upper) };
  return [{ metric: name, of: name, unit: 'share', ...figures, ...possible, margin: shareMargin, verdict }];
}

/** A rate is what its share lacks of all. */
function compareRates(name: string, a: ComparedSide, b: ComparedSide): ComparedMetric[] {
  const [was, is] = [a, b].map(({ runs }) => runs.flatMap((run) => run.rates?.[name] ?? [])) as [
    ComparedShare[],
    ComparedShare[],
  ];
  const found = shiftOfShare(was, is, { margin: rateMargin, confidence: comparisonConfidence });
  if (!found) return [];
  const { method, baseline, candidate, shift, lower, upper } = found;
  const figures = { baseline: 1 - baseline, candidate: 1 - candidate, shift: -shift, lower: -upper, upper: -lower };
  const verdict = comparisonWord(figures, rateMargin, 'rise');
  return [{ metric: name, of: name, unit: 'share', ...figures, method, margin: rateMargin, verdict }];
}

function judged(one: Omit<ComparedMetric, 'margin' | 'verdict'>, { share, leastMs }: Margin): ComparedMetric {
  const margin = Math.max(leastMs, Number.isFinite(one.baseline) ? share * one.baseline : 0);
  return { ...one, margin, verdict: comparisonWord(one, margin, 'rise') };
}

function ends({ estimate, lower, upper }: { estimate: number; lower: number; upper: number }) {
  return { shift: estimate, lower, upper };
}

/** The samples as buckets, found by halving ranks: a histogram has few different values. */
function bucketsOf(distribution: Distribution): Bucket[] {
  const buckets: Bucket[] = [];
  for (let rank = 1; rank <= distribution.samples; ) {
    const value = distribution.valueAtRank(rank);
    let same = rank;
    let beyond = distribution.samples + 1;
    while (beyond - same > 1) {
      const middle = Math.floor((same + beyond) / 2);
      if (distribution.valueAtRank(middle) <= value) same = middle;
      else beyond = middle;
    }
    buckets.push({ value, count: same - rank + 1 });
    rank = same + 1;
  }
  return buckets;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
