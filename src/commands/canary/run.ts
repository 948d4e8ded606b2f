import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import {
  judgementJson,
  judgementText,
  planJson,
  planText,
  rolloutJson,
  rolloutText,
} from '../../report/slo/canary-text.ts';
import type { Paint } from '../../report/terminal/paint.ts';
import type { Canary } from '../../slo/canary/canary.ts';
import { judgeCanary } from '../../slo/canary/judge.ts';
import { planCanary } from '../../slo/canary/plan.ts';
import { type Regression, simulateRollout } from '../../slo/canary/rollout.ts';
import { parsePercent } from '../../units.ts';
import { printJson } from '../output.ts';
import { printReport } from '../terminal.ts';
import type { CanaryFlags } from './flags.ts';
import { measureArms } from './measure.ts';
import { readCanary } from './read.ts';

/** One verb of `speechfb canary`: reads the file, prints, and says how it ended. */
export async function runCanary(
  verb: keyof typeof verbs,
  file: string | undefined,
  flags: CanaryFlags,
): Promise<ExitCode> {
  return verbs[verb](readCanary(file, flags), flags);
}

const verbs = { plan, judge, simulate };

function plan(canary: Canary, { json }: CanaryFlags): ExitCode {
  const planned = planCanary(canary);
  show(json, planned, { asJson: planJson, asText: planText });
  return exitCodes.pass;
}

async function judge(canary: Canary, flags: CanaryFlags): Promise<ExitCode> {
  const arms = await measureArms(canary, flags);
  const judgement = judgeCanary(canary, arms.baseline, arms.canary);
  show(flags.json, judgement, { asJson: (one) => judgementJson(canary.name, one), asText: judgementText });
  return { promote: exitCodes.pass, hold: exitCodes.invalid, rollback: exitCodes.missed }[judgement.decision];
}

function simulate(canary: Canary, flags: CanaryFlags): ExitCode {
  const rollout = simulateRollout(canary, regressionOf(flags), wholeNumber('--seed', flags.seed ?? '1'));
  show(flags.json, rollout, { asJson: (one) => rolloutJson(canary.name, one), asText: rolloutText });
  return { promoted: exitCodes.pass, paused: exitCodes.invalid, 'rolled back': exitCodes.missed }[rollout.outcome];
}

function regressionOf({ regression, slowdown, from }: CanaryFlags): Regression {
  const canaryBurn = Number(regression ?? '0.5');
  if (!(canaryBurn >= 0 && Number.isFinite(canaryBurn))) {
    throw new SpeechfbError('bad_flag', `--regression "${regression}" is not a burn rate of 0 or more, such as 4`);
  }
  // A healthy service does not live on the edge of its promise: half of the budget is an ordinary
  // day.
  const baselineBurn = Math.min(0.5, canaryBurn);
  return { baselineBurn, canaryBurn, slowdown: parsePercent(slowdown ?? '0%'), fromShare: parsePercent(from ?? '0%') };
}

function wholeNumber(flag: string, text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 0xffffffff) return number;
  throw new SpeechfbError('bad_flag', `${flag} "${text}" is not a whole number from 0 to 4294967295`);
}

type Forms<Value> = { asJson(value: Value): object; asText(value: Value, paint: Paint): string };

function show<Value>(json: true | undefined, value: Value, { asJson, asText }: Forms<Value>): void {
  if (json) printJson(asJson(value));
  else printReport(value, asText);
}
