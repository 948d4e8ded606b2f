import type { Analysis } from '../../budget/analyse.ts';
import type { Budget, Change } from '../../budget/file/budget.ts';
import type { BudgetLever } from '../../budget/levers.ts';
import type { WhatIfAnswer } from '../../budget/what-if.ts';
import { tenthsMs } from '../../format.ts';
import { alignColumns } from '../terminal/columns.ts';
import type { Paint } from '../terminal/paint.ts';
import { withInterval } from './waterfall.ts';

/**
 * One what-if for a terminal: what it does, what it breaks, and every lever that might repay it.
 */
export function whatIfLines(answer: Analysis['whatIf'][number], analysis: Analysis, paint: Paint): string[] {
  const rows = [...answer.levers, ...(answer.together ? [answer.together] : [])].map((lever) => leverCells(lever));
  const table = alignColumns([['lever', 'alone', 'factor', 'saves'].map(paint.dim), ...rows], '<<>>');
  const below = answer.belowZero > 0 ? [belowZeroLine(answer)] : [];
  const head = [
    paint.bold(`what if ${describe(answer)}`),
    effectLine(answer, analysis),
    ...brokenLines(answer, analysis),
  ];
  return [
    ...head,
    ...below,
    ...(answer.levers.length > 0 ? [repayLine(answer), ...table] : []),
    ...afterReserveLines(answer),
  ];
}

/** `p95 525.8 ms, +100.0 ms: 25.8 ms over the objective of 500 ms`. */
export function effectLine(answer: Analysis['whatIf'][number], { budget, source }: Analysis): string {
  const { percentile, valueMs: objectiveMs } = budget.objective;
  const what = source === 'arithmetic' ? 'the sum' : `p${percentile}`;
  if (!Number.isFinite(answer.valueMs))
    return `${what} is never: too many feedbacks did not come for any change of a stage to matter`;
  const sign = answer.deltaMs >= 0 ? '+' : '';
  const over = answer.valueMs - objectiveMs;
  const room =
    over > 0
      ? `${tenthsMs(over)} over the objective of ${objectiveMs} ms`
      : `within the objective of ${objectiveMs} ms`;
  const exactly = answer.exactMs === undefined ? '' : ` (exactly ${answer.exactMs.toFixed(4)} ms for normal stages)`;
  const value = source === 'arithmetic' ? tenthsMs(answer.valueMs) : withInterval(answer.valueMs, answer.interval);
  return `${what} ${value}, ${sign}${tenthsMs(answer.deltaMs)}: ${room}${exactly}`;
}

/**
 * Stages that the change pushes over their own line of the budget, and what the reserve can take of
 * it.
 */
export function brokenLines(answer: WhatIfAnswer, { budget, source }: Analysis): string[] {
  if (source !== 'arithmetic') return [];
  const broken = budget.stages.flatMap((stage) => {
    const ms = changedBudget(stage, answer.changes);
    return ms > stage.budgetMs ? [`${stage.name}: ${ms} ms of its ${stage.budgetMs} ms`] : [];
  });
  if (broken.length === 0) return [];
  const short = answer.deltaMs - budget.reserveMs;
  const reserve =
    short > 0
      ? `the reserve of ${budget.reserveMs} ms takes all but ${tenthsMs(short)}`
      : `the reserve of ${budget.reserveMs} ms could take it, and would be ${tenthsMs(-short)}`;
  return [`breaks ${broken.join('; ')}; ${reserve}`];
}

/** `to repay 25.8 ms, scale one of`. */
export function repayLine({ overshootMs, targetMs }: WhatIfAnswer): string {
  return `to repay ${tenthsMs(overshootMs)} and be at ${tenthsMs(targetMs)} again, scale one of`;
}

/**
 * `with the reserve spent, 20.0 ms are left: network x 0.750, edge x 0, all of it, scoring x
 * 0.500`; nothing without a reserve.
 */
export function afterReserveLines({ afterReserve }: WhatIfAnswer): string[] {
  const first = afterReserve[0];
  if (!first) return [];
  const able = afterReserve.filter(({ possible }) => possible);
  const ways = able.map(({ stage, factor }) => `${stage} ${factorText(factor!)}`).join(', or ');
  const left = able[0] ? `${tenthsMs(able[0].savesMs)} are left: ${ways}` : 'no stage alone repays what is left';
  return [`with the reserve spent, ${left}`];
}

/** Lever, whether it can alone, the factor it needs, what that saves. */
export function leverCells({ stage, possible, factor, savesMs }: BudgetLever): string[] {
  const scale = factor === undefined ? '' : factorText(factor);
  return [stage, possible ? 'yes' : 'no', scale, possible ? tenthsMs(savesMs) : `${tenthsMs(savesMs)} at most`];
}

function factorText(factor: number): string {
  return factor === 0 ? 'x 0, all of it' : `x ${factor.toFixed(3)}`;
}

/** The name, and what it changes when the name does not say. */
export function describe({ name, changes }: WhatIfAnswer): string {
  const text = changes.map(changeText).join(', ');
  return name === text ? name : `${name}: ${text}`;
}

function changeText(change: Change): string {
  switch (change.kind) {
    case 'shift':
      return `${change.stage}${change.byMs < 0 ? '-' : '+'}${Math.abs(change.byMs)}ms`;
    case 'scale':
      return `${change.stage}*${change.factor}`;
    case 'cap':
      return `${change.stage}<=${change.atMs}ms`;
    case 'remove':
      return `-${change.stage}`;
  }
}

function belowZeroLine({ belowZero }: WhatIfAnswer): string {
  return `in ${belowZero} traces the stage is shorter than what this takes away: it promises too much`;
}

function changedBudget({ name, budgetMs }: Budget['stages'][number], changes: readonly Change[]): number {
  let ms = budgetMs;
  for (const change of changes) {
    if (change.stage !== name) continue;
    if (change.kind === 'shift') ms += change.byMs;
    else if (change.kind === 'scale') ms *= change.factor;
    else if (change.kind === 'cap') ms = Math.min(ms, change.atMs);
    else ms = 0;
  }
  return ms;
}
