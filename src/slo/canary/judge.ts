import { durationText, numberText, percentText } from '../../format.ts';
import { quantileOfSorted } from '../../stats/quantile.ts';
import { rankSumTest } from '../../stats/rank-sum.ts';
import { hodgesLehmann } from '../../stats/shift.ts';
import { sequentialTest } from '../../stats/sprt.ts';
import { burnRate } from '../service-level/burn.ts';
import { hasTripped } from '../service-level/burn-rule.ts';
import type { Canary } from './canary.ts';
import { ruleOf } from './plan.ts';

/** What was seen of one version over the same stretch of time as of the other. */
export type Arm = {
  /** Bad and all events an interval (`rollback.every`), in order of time. */
  history: readonly { bad: number; total: number }[];
  /**
   * One latency a session, its median: events of one session are not independent. Infinity: most
   * never came.
   */
  sessionsMs: readonly number[];
  /**
   * How long a load test that is shorter than the rule's window lasted: all of it is one window
   * then.
   */
  seenMs?: number | undefined;
  /**
   * Why what was seen proves nothing, such as a load generator that could not keep its schedule.
   */
  doubt?: string | undefined;
};

export type CanaryDecision = 'promote' | 'hold' | 'rollback';

export type Reason = {
  check: 'data' | 'burn' | 'sequential' | 'latency';
  decision: CanaryDecision;
  message: string;
  /** The numbers of the message and those beside them: shares of 1, ms, counts. */
  figures?: Readonly<Record<string, number>>;
};

export type Judgement = { decision: CanaryDecision; reasons: Reason[] };

/**
 * Promote, hold or roll back. Any reason to roll back decides; promotion needs every reason.
 * Without data, or too little, it holds. `baseline` is the old version at the same time, never its
 * past; undefined only in the last step, where no old version is left to compare with and the
 * promise itself is the measure.
 */
export function judgeCanary(canary: Canary, baseline: Arm | undefined, arm: Arm): Judgement {
  const lack = lackOfData(canary, baseline, arm);
  if (lack) return { decision: 'hold', reasons: [lack] };
  const reasons = [judgeBurn(canary, baseline, arm), judgeSequential(canary, baseline, arm)];
  if (baseline && baseline.sessionsMs.length > 0 && arm.sessionsMs.length > 0) {
    reasons.push(judgeLatency(canary, baseline, arm));
  }
  const has = (decision: CanaryDecision) => reasons.some((reason) => reason.decision === decision);
  return { decision: has('rollback') ? 'rollback' : has('hold') ? 'hold' : 'promote', reasons };
}

/** What was seen of one version, without latencies. */
type SeenEvents = Omit<Arm, 'sessionsMs'>;

/** What the rollback rule needs of a canary. */
export type RollbackTerms = Pick<Canary, 'target' | 'rollback' | 'unit' | 'minimumEvents'>;

/**
 * The rollback rule alone, for whoever looks at a canary again and again while it runs: without
 * data, or too little on either side, or while both versions burn, it holds.
 */
export function judgeRollback(canary: RollbackTerms, baseline: SeenEvents, arm: SeenEvents): Reason {
  return lackOfData(canary, baseline, arm) ?? judgeBurn(canary, baseline, arm);
}

function lackOfData(
  { minimumEvents, unit }: Pick<Canary, 'minimumEvents' | 'unit'>,
  baseline: SeenEvents | undefined,
  arm: SeenEvents,
): Reason | undefined {
  const sides = [['the canary', arm] as const, ...(baseline ? [['the baseline', baseline] as const] : [])];
  for (const [who, side] of sides) {
    const { total } = sum(side);
    if (side.doubt !== undefined) {
      return { check: 'data', decision: 'hold', message: `the run of ${who} proves nothing: ${side.doubt}` };
    }
    if (total === 0)
      return { check: 'data', decision: 'hold', message: `${who} has no ${unit}s: no data never promotes` };
    if (total >= minimumEvents) continue;
    const message = `${who} has ${numberText(total)} ${unit}s; needs ${numberText(minimumEvents - total)} more`;
    return { check: 'data', decision: 'hold', message };
  }
  return undefined;
}

function judgeBurn(canary: RollbackTerms, baseline: SeenEvents | undefined, arm: SeenEvents): Reason {
  const { rollback } = canary;
  const reading = readingOf(canary, arm);
  const burn = burnOf(canary, arm);
  const rule = ruleOf(canary);
  const figures = { ...figuresOf('canary', canary, arm), ...(baseline && figuresOf('baseline', canary, baseline)) };
  const reason = (decision: CanaryDecision, message: string) =>
    ({ check: 'burn', decision, message, figures }) as const;
  if (!hasTripped(rule, arm.history)) {
    const message = `the canary burns at ${numberText(burn)} times the budget, never above ${rollback.burn} ${reading}`;
    if (arm.history.length >= rule.intervals) return reason('promote', message);
    return reason('hold', `${message}; ${durationText(rollback.forMs)} have not passed`);
  }
  if (baseline && hasTripped(rule, baseline.history)) {
    const message =
      `both burn above ${rollback.burn} ${reading}, the canary at ${numberText(burn)}, the baseline at ` +
      `${numberText(burnOf(canary, baseline))}: not this release alone`;
    return reason('hold', message);
  }
  return reason(
    'rollback',
    `the canary burned above ${rollback.burn} ${reading}; ${numberText(burn)} times the budget in all`,
  );
}

function readingOf({ rollback }: Pick<Canary, 'rollback'>, { seenMs }: SeenEvents): string {
  if (rollback.mode === 'consecutive')
    return `in every ${durationText(rollback.everyMs)} for ${durationText(rollback.forMs)}`;
  return seenMs === undefined || seenMs >= rollback.forMs
    ? `over ${durationText(rollback.forMs)}`
    : `over the ${durationText(seenMs)} that it ran`;
}

function figuresOf(
  who: 'canary' | 'baseline',
  canary: Pick<Canary, 'target'>,
  arm: SeenEvents,
): Record<string, number> {
  const { bad, total } = sum(arm);
  return { [`${who}Events`]: total, [`${who}Bad`]: bad, [`${who}Burn`]: burnOf(canary, arm) };
}

/**
 * Against what is acceptable now: the budget, or what the baseline loses at the same time when that
 * is more.
 */
function judgeSequential(canary: Canary, baseline: Arm | undefined, arm: Arm): Reason {
  const { bad, total } = sum(arm);
  const budget = 1 - canary.target;
  const beside = baseline ? shareOf(baseline) : 0;
  const fine = Math.min(Math.max(budget, beside), 1 - 1e-6);
  const worse = Math.min(canary.sequential.worse * fine, (1 + fine) / 2);
  const { decision, logRatio, lower, upper } = sequentialTest({ ...canary.sequential, fine, worse }, bad, total);
  const seen = `${numberText(bad)} bad of ${numberText(total)}`;
  const figures = { bad, total, fine, worse, logRatio, lower, upper };
  const reason = (decided: CanaryDecision, message: string) =>
    ({ check: 'sequential', decision: decided, message, figures }) as const;
  if (decision === 'worse')
    return reason('rollback', `${seen} decides for ${percentText(worse)} bad against ${percentText(fine)}`);
  if (decision === 'fine')
    return reason('promote', `${seen} decides for ${percentText(fine)} bad against ${percentText(worse)}`);
  const between = `${percentText(fine)} and ${percentText(worse)} bad`;
  const edges = `${numberText(logRatio)} between ${numberText(lower)} and ${numberText(upper)}`;
  return reason('hold', `${seen} does not decide between ${between} yet (${edges})`);
}

function judgeLatency({ latency }: Canary, baseline: Arm, arm: Arm): Reason {
  const median = quantileOfSorted(Float64Array.from(baseline.sessionsMs).sort(), 0.5);
  const marginMs = latency.margin * median;
  const shift = hodgesLehmann(arm.sessionsMs, baseline.sessionsMs, latency.confidence);
  const { p, u } = rankSumTest(arm.sessionsMs, baseline.sessionsMs);
  const sentence =
    `the canary's sessions differ by ${signedMs(shift.estimate)} [${signedMs(shift.lower)}, ${signedMs(shift.upper)}] ` +
    `(Mann-Whitney p ${p.toPrecision(2)}); the margin is ${signedMs(marginMs)}, ${percentText(latency.margin)} of the ` +
    `baseline's median`;
  const figures = {
    shiftMs: shift.estimate,
    lowerMs: shift.lower,
    upperMs: shift.upper,
    coverage: shift.coverage,
    p,
    u,
    marginMs,
    baselineMedianMs: median,
    canarySessions: arm.sessionsMs.length,
    baselineSessions: baseline.sessionsMs.length,
  };
  const reason = (decision: CanaryDecision, message: string) =>
    ({ check: 'latency', decision, message, figures }) as const;
  if (shift.lower > marginMs) return reason('rollback', `${sentence}: slower`);
  if (shift.coverage < latency.confidence - 1e-9) {
    const sessions = `${arm.sessionsMs.length} against ${baseline.sessionsMs.length} sessions`;
    return reason('hold', `${sessions} carry no interval at ${percentText(latency.confidence)}`);
  }
  if (shift.upper <= marginMs) return reason('promote', `${sentence}: not slower`);
  return reason('hold', `${sentence}: undecided`);
}

function burnOf(canary: Pick<Canary, 'target'>, arm: SeenEvents): number {
  return burnRate(shareOf(arm), canary.target);
}

function shareOf(arm: SeenEvents): number {
  const { bad, total } = sum(arm);
  return bad / total;
}

function sum({ history }: Pick<Arm, 'history'>): { bad: number; total: number } {
  return history.reduce(({ bad, total }, now) => ({ bad: bad + now.bad, total: total + now.total }), {
    bad: 0,
    total: 0,
  });
}

function signedMs(ms: number): string {
  if (!Number.isFinite(ms)) return ms > 0 ? '+infinity' : '-infinity';
  return `${ms < 0 ? '-' : '+'}${numberText(Math.abs(ms))} ms`;
}
