import { samplesForInterval } from '../stats/order-statistics.ts';
import { type Contribution, type Decomposition, decompose } from './decompose/decompose.ts';
import { reportStage, type StageReport } from './decompose/stage-report.ts';
import { type BudgetVerdict, judgeInterval, tracesToDecide } from './decompose/verdict.ts';
import { sessionsWorth, type Worth } from './decompose/worth.ts';
import type { Budget, Gate, WhatIf } from './file/budget.ts';
import { changeNormal, decomposeNormal, normalModelOf } from './sample/normal.ts';
import { percentileMs } from './sample/replay.ts';
import { type Sample, sampleOf } from './sample/sample.ts';
import { answerWhatIf, reserveName, type WhatIfAnswer } from './what-if.ts';

/** From what the figures come: the budget's own sum, its declared distributions, or traces. */
export type Source = 'arithmetic' | 'predicted' | 'measured';

/** A budget judged. */
export type Analysis = {
  source: Source;
  budget: Budget;
  /** Undefined when nothing but the arithmetic is known. */
  total: Total | undefined;
  verdict: BudgetVerdict;
  /**
   * Why the run that was measured proves nothing, such as a load generator that could not keep its
   * schedule.
   */
  doubt: string | undefined;
  stages: readonly StageReport[];
  unattributed: Contribution | undefined;
  /**
   * The total's percentile and each stage's share of it in closed form, when every stage is
   * declared normal or constant.
   */
  exactMs: number | undefined;
  exactShares: readonly number[] | undefined;
  /** Each with its percentile in closed form, where that is still one. */
  whatIf: readonly (WhatIfAnswer & { exactMs: number | undefined })[];
};

type Total = {
  n: number;
  /** Traces whose feedback never came. */
  never: number;
  valueMs: number;
  interval: Decomposition['interval'];
  bandwidthMs: number;
  near: number;
  /**
   * The fewest traces that are judged at all, and whether these are enough: by their number and by
   * their worth.
   */
  needed: number;
  enough: boolean;
  /** What the traces are worth at the percentile. */
  worth: Worth;
  moreTraces: number | undefined;
  /** The same in sessions like these, where traces have sessions. */
  moreSessions: number | undefined;
};

/**
 * Judges a sample of traces, measured or drawn, against the budget and answers its what-ifs on it.
 * With a `doubt` about the run that gave them nothing is judged.
 */
export function analyse(
  budget: Budget,
  sample: Sample,
  source: Exclude<Source, 'arithmetic'>,
  doubt?: string,
): Analysis {
  const p = budget.objective.percentile / 100;
  const { confidence, minSamples } = budget.gate;
  const result = decompose(sample, { p, confidence, replicates: budget.replicates, seed: budget.seed });
  const needed = Math.max(minSamples, samplesForInterval(p, confidence));
  const sufficient = sample.n >= needed && result.worth.traces >= samplesForInterval(p, confidence);
  const enough = sufficient && doubt === undefined;
  const stages = budget.stages.map((stage, i) =>
    reportStage(
      budget,
      stage,
      { ms: sample.stages[i]!.ms, clusters: sample.clusters },
      result.contributions[i]!,
      enough,
    ),
  );
  const { valueMs: limit, op } = budget.objective;
  const whole = enough ? judgeInterval(result.interval, op, limit) : 'invalid';
  const more = enough
    ? tracesToDecide(sample.n, result.valueMs, result.interval, limit)
    : missing(result, needed, samplesForInterval(p, confidence), confidence);
  const undecided = whole === 'invalid' && doubt === undefined;
  const model = source === 'predicted' ? normalModelOf(budget) : undefined;
  const exact = model && decomposeNormal(model, p);
  return {
    source,
    budget,
    total: {
      n: sample.n,
      never: sample.totals.reduce((count, total) => count + (total === Number.POSITIVE_INFINITY ? 1 : 0), 0),
      valueMs: result.valueMs,
      interval: result.interval,
      bandwidthMs: result.bandwidthMs,
      near: result.near,
      needed,
      enough: sufficient,
      worth: result.worth,
      moreTraces: undecided ? more : undefined,
      moreSessions: undecided ? sessionsOf(more, result) : undefined,
    },
    verdict: withStages(whole, stages, budget.gate),
    doubt,
    stages,
    unattributed: result.unattributed,
    exactMs: exact?.valueMs,
    exactShares: exact?.shares,
    whatIf: answers(sample, budget.whatIf, { p, valueMs: limit, confidence }).map((answer) => {
      const changed = model && changeNormal(model, answer.changes);
      return { ...answer, exactMs: changed && decomposeNormal(changed, p).valueMs };
    }),
  };
}

/**
 * Without traces or distributions: the sum is the objective (the file was checked), and what-ifs
 * move the sum.
 */
export function analyseArithmetic(budget: Budget): Analysis {
  const spent = budget.stages.map(({ name, budgetMs }) => ({ name, ms: Float64Array.of(budgetMs) }));
  const reserve = budget.reserveMs > 0 ? [{ name: reserveName, ms: Float64Array.of(budget.reserveMs) }] : [];
  const sample = sampleOf([...spent, ...reserve]);
  return {
    source: 'arithmetic',
    budget,
    total: undefined,
    verdict: 'pass',
    doubt: undefined,
    stages: [],
    unattributed: undefined,
    exactMs: undefined,
    exactShares: undefined,
    whatIf: answers(sample, budget.whatIf, {
      p: 1,
      valueMs: percentileMs(sample, 1),
      confidence: budget.gate.confidence,
    }).map((answer) => ({
      ...answer,
      exactMs: undefined,
    })),
  };
}

type Objective = Parameters<typeof answerWhatIf>[2];

function answers(sample: Sample, whatIf: readonly WhatIf[], objective: Objective): WhatIfAnswer[] {
  return whatIf.map((each) => answerWhatIf(sample, each, objective));
}

/** How many traces are missing, by their number or by what they are worth. */
function missing({ n, worth }: Decomposition, needed: number, worthNeeded: number, confidence: number): number {
  const byNumber = Math.max(0, needed - n);
  const { sessions } = worth;
  if (sessions === undefined || worth.traces >= worthNeeded) return byNumber;
  const wanted = sessionsWorth(worthNeeded, { ...worth, n, sessions }, confidence);
  return Math.max(byNumber, Math.ceil(((wanted - sessions) * n) / sessions));
}

function sessionsOf(traces: number, { n, worth: { sessions } }: Decomposition): number | undefined {
  return sessions === undefined ? undefined : Math.max(1, Math.ceil((traces * sessions) / n - 1e-9));
}

/** The objective decides; stages do too when the gate enforces them. */
function withStages(whole: BudgetVerdict, stages: readonly StageReport[], gate: Gate): BudgetVerdict {
  if (gate.stages === 'report') return whole;
  const all = [whole, ...stages.map(({ verdict }) => verdict)];
  return all.includes('fail') ? 'fail' : all.includes('invalid') ? 'invalid' : 'pass';
}
