import { type ComparisonWord, comparisonWord } from '../slo/objective/comparison-word.ts';
import { quantileRanks } from '../stats/order-statistics.ts';
import { type ClusterPart, type RatioInterval, ratioInterval, ratioShift } from '../stats/ratio.ts';
import { hodgesLehmann } from '../stats/shift.ts';
import type { ComparedLearners, LearnerSums } from './learners.ts';

/** One figure of both sides, how far the candidate's lies above, and what that means. */
export type ShadowFigure = {
  figure: 'wer' | 'task_success' | 'final_ms' | 'never' | 'dollars_per_minute';
  unit: 'share' | 'ms' | 'dollars';
  baseline: number;
  candidate: number;
  shift: number;
  /** The interval of the shift at 95 %; infinite where too few learners tell. */
  lower: number;
  upper: number;
  /** What a change must exceed to matter. */
  margin: number;
  verdict: ComparisonWord;
  /** Learners that tell of it: of both sides, or of each. */
  learners: number;
};

export type ShadowComparison = {
  figures: ShadowFigure[];
  /** Words in which both differ, of those that the baseline wrote; absent: no sound was shared. */
  between: (RatioInterval & { learners: number }) | undefined;
  /** How far scores of one phone are apart, 0-100; absent: not both sides score phones. */
  phones: (RatioInterval & { learners: number; compared: number }) | undefined;
  learners: { baseline: number; candidate: number };
  utterances: { baseline: number; candidate: number };
};

/**
 * Compares two sides by learners, who are what is independent: `paired` where each utterance was
 * heard by both, so that what learners differ in cancels out. Figures that a side does not have are
 * left out.
 */
export function compareLearners(
  { baseline, candidate, between, phones }: ComparedLearners,
  paired: boolean,
): ShadowComparison {
  const was = new Map(baseline);
  const is = new Map(candidate);
  const sides = { was, is, paired };
  const figures = [
    rateFigure(sides, { figure: 'wer', margin: 0.01, harm: 'rise', of: ({ wrong, words }) => part(wrong, words) }),
    rateFigure(sides, {
      ...{ figure: 'task_success', margin: 0.02, harm: 'fall' },
      // A learner is one, however much of it is read.
      of: ({ done, tasks }) => (tasks > 0 ? { count: done / tasks, of: 1 } : undefined),
    }),
    latencyFigure(sides),
    rateFigure(sides, {
      ...{ figure: 'never', margin: 0.01, harm: 'rise' },
      of: ({ finalMs, utterances }) => part(finalMs.filter((ms) => ms === Number.POSITIVE_INFINITY).length, utterances),
    }),
    rateFigure(sides, {
      ...{ figure: 'dollars_per_minute', margin: 0, harm: 'rise' },
      of: ({ dollars, audioMinutes }) => part(dollars, audioMinutes),
    }),
  ];
  const parts = [...between.values()].filter(({ of }) => of > 0);
  const scored = [...phones.values()];
  const compared = scored.reduce((sum, { of }) => sum + of, 0);
  const utterances = (side: ReadonlyMap<string, LearnerSums>): number =>
    [...side.values()].reduce((sum, { utterances: own }) => sum + own, 0);
  return {
    figures: figures.filter((figure) => figure !== undefined),
    between: parts.length > 0 ? { ...ratioInterval(parts, confidence, counted), learners: parts.length } : undefined,
    phones:
      compared > 0
        ? { ...ratioInterval(scored, confidence, { oneMore: false }), learners: scored.length, compared }
        : undefined,
    learners: { baseline: was.size, candidate: is.size },
    utterances: { baseline: utterances(was), candidate: utterances(is) },
  };
}

type Sides = { was: ReadonlyMap<string, LearnerSums>; is: ReadonlyMap<string, LearnerSums>; paired: boolean };

type Rate = {
  figure: 'wer' | 'task_success' | 'never' | 'dollars_per_minute';
  margin: number;
  harm: 'rise' | 'fall';
  of(sums: LearnerSums): ClusterPart | undefined;
};

function rateFigure({ was, is, paired }: Sides, { figure, margin, harm, of }: Rate): ShadowFigure | undefined {
  const partsOf = (side: ReadonlyMap<string, LearnerSums>): Map<string, ClusterPart> =>
    new Map([...side].flatMap(([learner, sums]) => (of(sums) ? [[learner, of(sums)!] as const] : [])));
  const [before, after] = [partsOf(was), partsOf(is)];
  if (before.size === 0 || after.size === 0) return undefined;
  const money = figure === 'dollars_per_minute';
  const how = money ? { oneMore: false } : counted;
  const [baseline, candidate] = [totalOf(before), totalOf(after)];
  const found = paired
    ? ratioInterval(differences(before, after), confidence, how)
    : ratioShift([...after.values()], [...before.values()], confidence, how);
  const matters = money ? costMargin * baseline : margin;
  const { value: shift } = found;
  const { lower, upper } = figure === 'task_success' || figure === 'never' ? possible(found) : found;
  const learners = paired ? before.size : before.size + after.size;
  const unit = money ? 'dollars' : 'share';
  const verdict = comparisonWord(found, matters, harm);
  return { figure, unit, baseline, candidate, shift, lower, upper, margin: matters, verdict, learners };
}

/** No two shares differ by more than all; where nothing bounds them, that is said. */
function possible({ lower, upper }: RatioInterval): { lower: number; upper: number } {
  if (!Number.isFinite(lower) || !Number.isFinite(upper)) return { lower, upper };
  return { lower: Math.max(-1, lower), upper: Math.min(1, upper) };
}

/** What both sides count of a learner differs by so much; both are of the same. */
function differences(was: ReadonlyMap<string, ClusterPart>, is: ReadonlyMap<string, ClusterPart>): ClusterPart[] {
  return [...was].flatMap(([learner, { count, of }]) => {
    const other = is.get(learner);
    return other ? [{ count: (other.count / other.of) * of - count, of }] : [];
  });
}

function latencyFigure({ was, is, paired }: Sides): ShadowFigure | undefined {
  if (was.size === 0 || is.size === 0) return undefined;
  const [before, after] = [mediansOf(was), mediansOf(is)];
  const [baseline, candidate] = [median([...before.values()]), median([...after.values()])];
  const found = paired ? medianDifference(before, after) : unpairedShift([...after.values()], [...before.values()]);
  const margin = Math.max(leastLatencyMarginMs, Number.isFinite(baseline) ? latencyMargin * baseline : 0);
  const verdict = comparisonWord(found, margin, 'rise');
  const learners = paired ? before.size : before.size + after.size;
  return { figure: 'final_ms', unit: 'ms', baseline, candidate, ...found, margin, verdict, learners };
}

/** The median of what learners' medians differ by, between the values at its binomial ranks. */
function medianDifference(was: ReadonlyMap<string, number>, is: ReadonlyMap<string, number>) {
  const shifts = [...was].flatMap(([learner, before]) => {
    const after = is.get(learner);
    if (after === undefined) return [];
    return [after === before ? 0 : after - before];
  });
  const sorted = shifts.sort((a, b) => a - b);
  const { low, high } = quantileRanks(sorted.length, 0.5, confidence);
  return {
    shift: median(sorted),
    lower: low === undefined ? Number.NEGATIVE_INFINITY : sorted[low - 1]!,
    upper: high === undefined ? Number.POSITIVE_INFINITY : sorted[high - 1]!,
  };
}

function unpairedShift(is: readonly number[], was: readonly number[]) {
  const { estimate, lower, upper, coverage } = hodgesLehmann(is, was, confidence);
  if (coverage >= confidence - 0.02) return { shift: estimate, lower, upper };
  return { shift: estimate, lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY };
}

function mediansOf(side: ReadonlyMap<string, LearnerSums>): Map<string, number> {
  return new Map([...side].map(([learner, { finalMs }]) => [learner, median(finalMs)]));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length / 2) - 1]!;
}

function totalOf(parts: ReadonlyMap<string, ClusterPart>): number {
  const [count, of] = [...parts.values()].reduce(([c, o], one) => [c + one.count, o + one.of], [0, 0]);
  return count! / of!;
}

function part(count: number, of: number): ClusterPart | undefined {
  return of > 0 ? { count, of } : undefined;
}

const confidence = 0.95;
const counted = { oneMore: true };
/** Shares of the baseline's value. */
const costMargin = 0.05;
const latencyMargin = 0.05;
const leastLatencyMarginMs = 10;
