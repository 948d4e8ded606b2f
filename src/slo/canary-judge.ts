import { quantileOfSorted } from '../stats/quantile.ts';
import { rankSumTest } from '../stats/rank-sum.ts';
import { hodgesLehmann } from '../stats/shift.ts';
import { sequentialTest } from '../stats/sprt.ts';
import { burnRate } from './burn.ts';
import { hasTripped } from './burn-rule.ts';
import type { Canary } from './canary.ts';
import { ruleOf } from './canary-plan.ts';
import { numberText, percentText, spanText } from './quantities.ts';

/** What was seen of one version over the same stretch of time as of the other. */
export type Arm = {
  /** Bad and all events an interval (`rollback.every`), in order of time. */
  history: readonly { bad: number; total: number }[];
  /** One latency a session, its median: events of one session are not independent. Infinity: most never came. */
  sessionsMs: readonly number[];
  /** Why what was seen proves nothing, such as a load generator that could not keep its schedule. */
  doubt?: string | undefined;
};

export type CanaryDecision = 'promote' | 'hold' | 'rollback';

export type Reason = {
  check: 'data' | 'burn' | 'sequential' | 'latency';
  decision: CanaryDecision;
  message: string;
};

export type Judgement = { decision: CanaryDecision; reasons: Reason[] };

/**
 * Promote, hold or roll back. Any reason to roll back decides; promotion needs every reason. Without data, or too little,
 * it holds. `baseline` is the old version at the same time, never its past; undefined only in the last step, where no old
 * version is left to compare with and the promise itself is the measure.
 */
export function judgeCanary(canary: Canary, baseline: Arm | undefined, arm: Arm): Judgement {
  const data = judgeData(canary, baseline, arm);
  if (data.decision === 'hold') return { decision: 'hold', reasons: [data] };
  const reasons = [judgeBurn(canary, baseline, arm), judgeSequential(canary, baseline, arm)];
  if (baseline && baseline.sessionsMs.length > 0 && arm.sessionsMs.length > 0) {
    reasons.push(judgeLatency(canary, baseline, arm));
  }
  const has = (decision: CanaryDecision) => reasons.some((reason) => reason.decision === decision);
  return { decision: has('rollback') ? 'rollback' : has('hold') ? 'hold' : 'promote', reasons };
}

function judgeData({ minimumEvents }: Canary, baseline: Arm | undefined, arm: Arm): Reason {
  const sides = [['the canary', arm] as const, ...(baseline ? [['the baseline', baseline] as const] : [])];
  for (const [who, side] of sides) {
    const { total } = sum(side);
    if (side.doubt !== undefined) {
      return { check: 'data', decision: 'hold', message: `the run of ${who} proves nothing: ${side.doubt}` };
    }
    if (total === 0)
      return { check: 'data', decision: 'hold', message: `${who} has no events: no data never promotes` };
    if (total >= minimumEvents) continue;
    const message = `${who} has ${numberText(total)} events; needs ${numberText(minimumEvents - total)} more`;
    return { check: 'data', decision: 'hold', message };
  }
  return { check: 'data', decision: 'promote', message: 'enough events' };
}

function judgeBurn(canary: Canary, baseline: Arm | undefined, arm: Arm): Reason {
  const { rollback } = canary;
  const reading =
    rollback.mode === 'window'
      ? `over ${spanText(rollback.forMs)}`
      : `in every ${spanText(rollback.everyMs)} for ${spanText(rollback.forMs)}`;
  const burn = burnOf(canary, arm);
  const rule = ruleOf(canary);
  if (!hasTripped(rule, arm.history)) {
    const message = `the canary burns at ${numberText(burn)} times the budget, never above ${rollback.burn} ${reading}`;
    if (arm.history.length >= rule.intervals) return { check: 'burn', decision: 'promote', message };
    return { check: 'burn', decision: 'hold', message: `${message}; ${spanText(rollback.forMs)} have not passed` };
  }
  if (baseline && hasTripped(rule, baseline.history)) {
    const message =
      `both burn above ${rollback.burn} ${reading}, the canary at ${numberText(burn)}, the baseline at ` +
      `${numberText(burnOf(canary, baseline))}: not this release alone`;
    return { check: 'burn', decision: 'hold', message };
  }
  const message = `the canary burned above ${rollback.burn} ${reading}; ${numberText(burn)} times the budget in all`;
  return { check: 'burn', decision: 'rollback', message };
}

/** Against what is acceptable now: the budget, or what the baseline loses at the same time when that is more. */
function judgeSequential(canary: Canary, baseline: Arm | undefined, arm: Arm): Reason {
  const { bad, total } = sum(arm);
  const budget = 1 - canary.target;
  const beside = baseline ? shareOf(baseline) : 0;
  const fine = Math.min(Math.max(budget, beside), 1 - 1e-6);
  const worse = Math.min(canary.sequential.worse * fine, (1 + fine) / 2);
  const { decision, logRatio, lower, upper } = sequentialTest({ ...canary.sequential, fine, worse }, bad, total);
  const seen = `${numberText(bad)} bad of ${numberText(total)}`;
  const between = `${percentText(fine)} and ${percentText(worse)} bad`;
  if (decision === 'worse') {
    return {
      check: 'sequential',
      decision: 'rollback',
      message: `${seen} decides for ${percentText(worse)} bad against ${percentText(fine)}`,
    };
  }
  if (decision === 'fine') {
    return {
      check: 'sequential',
      decision: 'promote',
      message: `${seen} decides for at most ${percentText(fine)} bad`,
    };
  }
  const message = `${seen} does not decide between ${between} yet (${numberText(logRatio)} between ${numberText(lower)} and ${numberText(upper)})`;
  return { check: 'sequential', decision: 'hold', message };
}

function judgeLatency({ latency }: Canary, baseline: Arm, arm: Arm): Reason {
  const median = quantileOfSorted(Float64Array.from(baseline.sessionsMs).sort(), 0.5);
  const marginMs = latency.margin * median;
  const shift = hodgesLehmann(arm.sessionsMs, baseline.sessionsMs, latency.confidence);
  const { p } = rankSumTest(arm.sessionsMs, baseline.sessionsMs);
  const figures =
    `the canary's sessions differ by ${signedMs(shift.estimate)} [${signedMs(shift.lower)}, ${signedMs(shift.upper)}] ` +
    `(Mann-Whitney p ${p.toPrecision(2)}); the margin is ${signedMs(marginMs)}, ${percentText(latency.margin)} of the ` +
    `baseline's median`;
  if (shift.lower > marginMs) return { check: 'latency', decision: 'rollback', message: `${figures}: slower` };
  if (shift.coverage < latency.confidence - 1e-9) {
    const sessions = `${arm.sessionsMs.length} against ${baseline.sessionsMs.length} sessions`;
    return {
      check: 'latency',
      decision: 'hold',
      message: `${sessions} carry no interval at ${percentText(latency.confidence)}`,
    };
  }
  if (shift.upper <= marginMs) return { check: 'latency', decision: 'promote', message: `${figures}: not slower` };
  return { check: 'latency', decision: 'hold', message: `${figures}: undecided` };
}

function burnOf(canary: Canary, arm: Arm): number {
  return burnRate(shareOf(arm), canary.target);
}

function shareOf(arm: Arm): number {
  const { bad, total } = sum(arm);
  return total === 0 ? 0 : bad / total;
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
