import { binomialCdf } from '../../stats/distributions.ts';
import { expectedEvents } from '../../stats/sprt.ts';
import {
  allowedBad,
  type BurnMode,
  type BurnRule,
  type Chance,
  chanceOfOneWindow,
  chanceToTrip,
} from '../service-level/burn-rule.ts';
import type { Canary } from './canary.ts';

export type StepPlan = {
  share: number;
  holdMs: number;
  eventsPerMinute: number;
  /** Events in one window of the rollback rule, and how many of them may be bad. */
  windowEvents: number;
  allowedBad: number;
  /**
   * One look at one window: the chance above the rule at burn 1, and at the burn that must be
   * found.
   */
  oneWindow: { falseRollback: number; power: number };
  /** Over the whole step, in either reading; `rule` is the one that the file asks for. */
  readings: Record<BurnMode, { falseRollback: Chance; power: Chance }>;
  rule: { falseRollback: Chance; power: Chance };
  /** Time until a fixed sample, or on average the sequential test, can tell burn 1 from `worse`. */
  decidedInMs: { fixed: number; sequentialWhenFine: number; sequentialWhenWorse: number };
};

export type CanaryPlan = {
  canary: Canary;
  steps: StepPlan[];
  /** Over all steps, for a regression that is there from the start. */
  falseRollback: number;
  power: number;
  /**
   * Events that tell burn 1 from `sequential.worse` with its alpha and beta: a fixed sample, and
   * the sequential test's mean.
   */
  eventsNeeded: number;
  sequentialEvents: { whenFine: number; whenWorse: number };
};

/** What the canary's rules can and cannot see with the traffic that each step gives them. */
export function planCanary(canary: Canary): CanaryPlan {
  const { target, sequential } = canary;
  const fine = 1 - target;
  const worse = Math.min(sequential.worse * fine, 1 - 1e-9);
  const eventsNeeded = eventsToTell(fine, worse, sequential.alpha, 1 - sequential.beta);
  const sequentialEvents = expectedEvents({ ...sequential, fine, worse });
  const steps = canary.steps.map((step) => planStep(canary, step, eventsNeeded, sequentialEvents));
  const none = (chances: readonly number[]) => chances.reduce((product, chance) => product * (1 - chance), 1);
  return {
    canary,
    steps,
    falseRollback: 1 - none(steps.map((step) => step.rule.falseRollback.value)),
    power: 1 - none(steps.map((step) => step.rule.power.value)),
    eventsNeeded,
    sequentialEvents,
  };
}

/**
 * The fewest events of an exact one-sided binomial test that tells a share of `fine` from `worse`:
 * some limit c has P(bad > c | fine) <= alpha and P(bad > c | worse) >= power. 267, 1,398 and
 * 13,996 for 1x from 2x at 95, 99 and 99.9 % with alpha .01 and power .8.
 */
export function eventsToTell(fine: number, worse: number, alpha: number, power: number): number {
  // For each limit: the fewest events with the power, and the most with the alpha; the first limit
  // where they meet.
  for (let limit = 0; ; limit++) {
    const fewest = smallest(limit + 1, (n) => 1 - binomialCdf(limit, n, worse) >= power);
    if (1 - binomialCdf(limit, fewest, fine) <= alpha) return fewest;
  }
}

function planStep(
  canary: Canary,
  step: Canary['steps'][number],
  eventsNeeded: number,
  sequentialEvents: { whenFine: number; whenWorse: number },
): StepPlan {
  const { target, rollback, detect } = canary;
  const eventsPerMinute = canary.eventsPerMinute * step.share;
  const perInterval = Math.round((eventsPerMinute * rollback.everyMs) / 60_000);
  const intervals = Math.floor(step.holdMs / rollback.everyMs);
  const rule = ruleOf(canary);
  const windowEvents = perInterval * rule.intervals;
  const fine = 1 - target;
  const found = Math.min(1, detect * fine);
  const reading = (mode: BurnMode) => ({
    falseRollback: chanceToTrip({ ...rule, mode }, perInterval, fine, intervals),
    power: chanceToTrip({ ...rule, mode }, perInterval, found, intervals),
  });
  const readings = { window: reading('window'), consecutive: reading('consecutive') };
  const minutes = (events: number) => (events / eventsPerMinute) * 60_000;
  return {
    share: step.share,
    holdMs: step.holdMs,
    eventsPerMinute,
    windowEvents,
    allowedBad: allowedBad(rule, windowEvents),
    oneWindow: {
      falseRollback: chanceOfOneWindow(rule, windowEvents, fine),
      power: chanceOfOneWindow(rule, windowEvents, found),
    },
    readings,
    rule: readings[rollback.mode],
    decidedInMs: {
      fixed: minutes(eventsNeeded),
      sequentialWhenFine: minutes(sequentialEvents.whenFine),
      sequentialWhenWorse: minutes(sequentialEvents.whenWorse),
    },
  };
}

/** The rollback rule, in intervals. */
export function ruleOf({ target, rollback }: Pick<Canary, 'target' | 'rollback'>): BurnRule {
  return {
    target,
    burn: rollback.burn,
    mode: rollback.mode,
    intervals: Math.max(1, Math.round(rollback.forMs / rollback.everyMs)),
  };
}

/** The smallest n >= `from` that holds, of a condition that stays true once it is. */
function smallest(from: number, holds: (n: number) => boolean): number {
  let high = from;
  while (!holds(high)) high *= 2;
  let low = from - 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
