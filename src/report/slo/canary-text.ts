import { durationText, numberText, percentText } from '../../format.ts';
import type { Canary } from '../../slo/canary/canary.ts';
import type { CanaryDecision, Judgement } from '../../slo/canary/judge.ts';
import type { CanaryPlan, StepPlan } from '../../slo/canary/plan.ts';
import type { Rollout } from '../../slo/canary/rollout.ts';
import type { BurnMode, Chance } from '../../slo/service-level/burn-rule.ts';
import { snakeCased } from '../export/run-json.ts';
import type { Paint } from '../terminal/paint.ts';

/** What each step can see, in both readings of the rollback rule, for a terminal. */
export function planText(plan: CanaryPlan, paint: Paint): string {
  const { canary } = plan;
  const lines = [
    paint.bold(`${canary.name}: ${percentText(canary.target)}, ${numberText(canary.eventsPerMinute)} events a minute`),
    `roll back ${readingText(canary, canary.rollback.mode)}`,
    '',
    ...plan.steps.flatMap((step) => stepLines(canary, step, paint)),
    `whole rollout: rolls back wrongly ${chanceText(exact(plan.falseRollback))}, finds a burn of ${canary.detect} ${chanceText(exact(plan.power))}`,
    `to tell a burn of 1 from ${canary.sequential.worse} (alpha ${percentText(canary.sequential.alpha)}, power ` +
      `${percentText(1 - canary.sequential.beta)}): ${numberText(plan.eventsNeeded)} events as a fixed sample; the ` +
      `sequential test takes ${numberText(plan.sequentialEvents.whenFine)} on average when all is well, ` +
      `${numberText(plan.sequentialEvents.whenWorse)} when it is not`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The plan as one JSON document. */
export function planJson({ canary, ...plan }: CanaryPlan): object {
  const { name, target, eventsPerMinute, rollback, detect, sequential } = canary;
  const reading = readingText(canary, rollback.mode);
  const canaryFields = { name, target, eventsPerMinute, mode: rollback.mode, reading, rollback, detect, sequential };
  return snakeCased({ ...canaryFields, ...plan }) as object;
}

/** The decision and its reasons, for a terminal. */
export function judgementText({ decision, reasons }: Judgement, paint: Paint): string {
  const lines = reasons.map(
    (reason) =>
      `  ${paintOf(paint, reason.decision)(reason.decision.padEnd(9))}${reason.check.padEnd(11)}${reason.message}`,
  );
  return `${paintOf(paint, decision)(decision)}\n${lines.join('\n')}\n`;
}

/** The judgement as one JSON document. */
export function judgementJson(name: string, judgement: Judgement): object {
  return snakeCased({ name, ...judgement }) as object;
}

/** A rehearsed rollout: one line whenever the decision or the step changes. */
export function rolloutText({ outcome, endedAtMs, share, looks, harmedEvents }: Rollout, paint: Paint): string {
  const changes = looks.filter((look, i) => {
    const before = looks[i - 1];
    return before?.share !== look.share || before.judgement.decision !== look.judgement.decision;
  });
  const lines = changes.map(({ atMs, share, judgement }) => {
    const why = judgement.reasons.find((reason) => reason.decision === judgement.decision)?.message ?? '';
    const decision = paintOf(paint, judgement.decision)(judgement.decision.padEnd(9));
    return `${durationText(atMs).padStart(7)}  ${percentText(share).padStart(5)}  ${decision}${why}`;
  });
  const end = { promoted: paint.good, paused: paint.warn, 'rolled back': paint.bad }[outcome];
  lines.push(
    '',
    `${end(outcome)} after ${durationText(endedAtMs)} at ${percentText(share)} of the traffic; ` +
      `${numberText(Math.round(harmedEvents))} events went bad that the old version would have served`,
  );
  return `${lines.join('\n')}\n`;
}

/** The rollout as one JSON document, every look in it. */
export function rolloutJson(name: string, rollout: Rollout): object {
  return snakeCased({ name, ...rollout }) as object;
}

function readingText({ rollback }: Canary, mode: BurnMode): string {
  const { burn, forMs, everyMs } = rollback;
  return mode === 'window'
    ? `when the share over the trailing ${durationText(forMs)}, looked at every ${durationText(everyMs)}, burns above ${burn} (mode: window)`
    : `when every ${durationText(everyMs)} for ${durationText(forMs)} in a row burns above ${burn} (mode: consecutive)`;
}

function stepLines(canary: Canary, step: StepPlan, paint: Paint): string[] {
  const { mode } = canary.rollback;
  const other = mode === 'window' ? 'consecutive' : 'window';
  const chances = (which: BurnMode) => {
    const { falseRollback, power } = step.readings[which];
    return `rolls back wrongly ${chanceText(falseRollback)}, finds a burn of ${canary.detect} ${chanceText(power)}`;
  };
  const { fixed, sequentialWhenFine } = step.decidedInMs;
  return [
    `${percentText(step.share)} for ${durationText(step.holdMs)}: ${numberText(step.eventsPerMinute)} events a minute, ` +
      `${numberText(step.windowEvents)} in the window, of which ${numberText(step.allowedBad)} may be bad`,
    `  ${chances(mode)}`,
    `  one window alone: wrongly ${chanceText(exact(step.oneWindow.falseRollback))}, finds ${chanceText(exact(step.oneWindow.power))}`,
    `  a fixed sample decides in ${durationText(fixed)}, the sequential test in ${durationText(sequentialWhenFine)} when all is well`,
    paint.dim(`  read as ${other}: ${chances(other)}`),
    '',
  ];
}

function exact(value: number): Chance {
  return { value, standardError: 0 };
}

/** A simulated or tiny chance is never written as certain. */
function chanceText({ value, standardError }: Chance): string {
  if (value < 1e-6) return 'almost never';
  if (value > 1 - 1e-6) return 'almost always';
  return standardError > 0 ? `${percentText(value)} (+-${percentText(1.96 * standardError)})` : percentText(value);
}

function paintOf(paint: Paint, decision: CanaryDecision): (text: string) => string {
  return { promote: paint.good, hold: paint.warn, rollback: paint.bad }[decision];
}
