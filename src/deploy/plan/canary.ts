import { durationText, numberText, percentText } from '../../format.ts';
import type { Canary } from '../../slo/canary/canary.ts';
import { badRate, badShare, msPerUnit, promDuration, totalRate, withMatchers } from '../../slo/service-level/promql.ts';
import type { Indicator } from '../../slo/service-level/service-level.ts';
import { sequentialTest } from '../../stats/sprt.ts';
import { type Figure, type FigureText, written } from '../document/figure.ts';
import type { Located } from './inputs.ts';

/** A step of the rollout: how many sessions, for how long, and what may be learned of it. */
export type StepFigures = {
  /** `canary.step1`. */
  name: string;
  weight: Figure;
  /** What is left for the version of before. */
  rest: Figure;
  hold: Figure;
  seconds: Figure;
  /** How many looks fit, and twice as many: after that the step is paused. */
  looks: Figure;
  deadline: Figure;
  isLast: boolean;
};

export type CanaryFigures = {
  name: string;
  steps: readonly StepFigures[];
  /** How often it is looked at, and over which window the rollback rule reads. */
  every: Figure;
  /** The rollback rule: share of bad events above which it trips. */
  burnShare: Figure;
  /** Wald's test: at or below `fine` promote, at or above `worse` roll back, between them hold. */
  fine: Figure;
  worse: Figure;
  /** A verdict at once ends a step; none may written "worse". */
  none: Figure;
  one: Figure;
  /** Before the rollback rule has seen its window, and how often all steps together look. */
  over: Figure;
  allLooks: Figure;
  queries: { burn: FigureText; baselineBurn: FigureText; logRatio: FigureText };
};

/** The arithmetic of `speechfb canary judge`, as figures and as PromQL. */
export function canaryFigures({ value: canary, at }: Located<Canary>): CanaryFigures {
  const { sequential, rollback, target, steps } = canary;
  const bounds = sequentialTest(
    { ...sequential, fine: 1 - target, worse: Math.min(sequential.worse * (1 - target), 0.5) },
    0,
    0,
  );
  const figure = (name: string, value: number | string, why: string, key: string): Figure => ({
    name: `canary.${name}`,
    value,
    why,
    from: [at(['spec', key])],
  });
  const allLooks = steps.reduce((sum, { holdMs }) => sum + 2 * Math.floor(holdMs / rollback.everyMs), 0);
  const minimum = figure(
    'minimumEvents',
    canary.minimumEvents,
    `fewer ${canary.unit}s than this prove nothing: hold`,
    'minimumEvents',
  );
  const rounded = (value: number) => Number(value.toFixed(4));
  const errors = `alpha ${percentText(sequential.alpha)}, beta ${percentText(sequential.beta)}`;
  return {
    name: canary.name,
    steps: steps.map((step, index) => stepFigures(canary, step, index, at(['spec', 'steps', index]))),
    every: figure('every', promDuration(rollback.everyMs), judgedEvery, 'rollback'),
    burnShare: figure(
      'rollbackShare',
      rounded(rollback.burn * (1 - target)),
      `a burn of ${numberText(rollback.burn)} at ${percentText(target)}: above it over ${durationText(rollback.forMs)} the version goes back`,
      'rollback',
    ),
    fine: figure(
      'fineBelow',
      rounded(bounds.lower),
      `ln(beta / (1 - alpha)), ${errors}: at or below it Wald's test says as good as before`,
      'sequential',
    ),
    worse: figure(
      'worseFrom',
      rounded(bounds.upper),
      `ln((1 - beta) / alpha), ${errors}: at or above it the test says worse`,
      'sequential',
    ),
    none: figure(
      'failuresAllowed',
      0,
      'one verdict "worse" is enough: the test has its error of alpha for all looks together',
      'sequential',
    ),
    one: figure('successesNeeded', 1, 'one verdict "fine" is enough, likewise', 'sequential'),
    over: figure(
      'rollbackDelay',
      promDuration(rollback.forMs),
      'the rule has seen its whole window by then',
      'rollback',
    ),
    allLooks: figure('looksInAll', allLooks, 'an answer without data is no verdict, however often it comes', 'steps'),
    queries: queriesOf(canary, at, minimum),
  };
}

function stepFigures(
  { rollback }: Canary,
  { share, holdMs }: Canary['steps'][number],
  index: number,
  place: string,
): StepFigures {
  const percent = Number((share * 100).toPrecision(6));
  const weight = share >= 1 ? 100 : Math.min(99, Math.max(1, Math.round(percent)));
  const figure = (name: string, value: number | string, why: string): Figure => ({
    name: `canary.step${index + 1}.${name}`,
    value,
    why,
    from: [place],
  });
  const looks = Math.max(1, Math.floor(holdMs / rollback.everyMs));
  return {
    name: `canary.step${index + 1}`,
    weight: figure(
      'weight',
      weight,
      `${percentText(share)} of the sessions that begin now${weight === percent ? '' : ', in whole percents: no rollout takes less'}`,
    ),
    rest: figure('rest', 100 - weight, 'the others'),
    seconds: figure('holdSeconds', holdMs / 1000, 'the same in seconds'),
    hold: figure('hold', promDuration(holdMs), 'how long the step lasts at least'),
    looks: figure(
      'looks',
      2 * looks,
      `${looks} looks in ${durationText(holdMs)}; one that is undecided after twice as many is paused for a person`,
    ),
    deadline: figure(
      'deadlineSeconds',
      (2 * holdMs) / 1000,
      `twice ${durationText(holdMs)}: who is undecided by then asks a person`,
    ),
    isLast: share >= 1,
  };
}

/**
 * Bad and all events since the step began, per unit that is judged; their log ratio is that of
 * `sequentialTest`, against the budget or what the version of before loses meanwhile, whichever is
 * more, as `judgeCanary` has it. No sample while there is too little to judge.
 */
function queriesOf(canary: Canary, at: Located<Canary>['at'], minimum: Figure): CanaryFigures['queries'] {
  const { indicator, versions, target, sequential, eventsPerUnit } = canary;
  const figure = (name: string, value: number, why: string, key: string): Figure => ({
    name: `canary.${name}`,
    value,
    why,
    from: [at(['spec', key])],
  });
  const budget = figure(
    'budget',
    Number((1 - target).toPrecision(6)),
    `the share of bad events that ${percentText(target)} allows`,
    'target',
  );
  const times = figure('worseTimes', sequential.worse, 'so many times what is acceptable must be found', 'sequential');
  const perUnit = canary.unit === 'event' ? 1 : (eventsPerUnit ?? 1);
  const each = figure(
    'eventsPerUnit',
    perUnit,
    `events that are one ${canary.unit}, and share its fate`,
    'eventsPerUnit',
  );
  const bound = goodWithin(canary, at);
  const fresh = withMatchers(indicator!, versions!.canary);
  const before = withMatchers(indicator!, versions!.baseline);
  const window = '{{args.window}}';
  const [bad, total] = [promQl(badRate(fresh, window), bound), promQl(totalRate(fresh, window), bound)];
  const lost = promQl(badShare(before, window), bound);
  const fine = join(written`clamp_min(`, lost, written` or vector(0), ${budget})`);
  const worse = join(written`clamp_max(${times} * `, fine, written`, scalar((1 + `, fine, written`) / 2))`);
  const units = written` * {{args.seconds}} / ${each}`;
  const logRatio = join(
    ...[
      bad,
      units,
      written` * ln(`,
      worse,
      written` / `,
      fine,
      written`) + clamp_min(`,
      total,
      written` - `,
      bad,
      written`, 0)`,
      units,
    ],
    ...[written` * ln((1 - `, worse, written`) / (1 - `, fine, written`))`],
  );
  const burn = (one: Indicator) => burnQuery(canary, one, at, bound);
  return {
    logRatio: join(written`(`, logRatio, written`) and (`, total, units, written` >= ${minimum})`),
    burn: burn(fresh),
    baselineBurn: burn(before),
  };
}

/** The share of bad events over the rollback rule's window, or the least of its intervals. */
function burnQuery({ rollback }: Canary, indicator: Indicator, at: Located<Canary>['at'], bound: Figure): FigureText {
  const range = (name: string, ms: number, why: string): Figure => ({
    name: `canary.${name}`,
    value: promDuration(ms),
    why,
    from: [at(['spec', 'rollback'])],
  });
  const over = range('rollbackWindow', rollback.forMs, 'the window of the rollback rule');
  const every = range('every', rollback.everyMs, judgedEvery);
  const isWindow = rollback.mode === 'window';
  const pieces = badShare(indicator, windowMark).split(windowMark);
  const share = join(
    ...pieces.map((piece, i) => join(i === 0 ? written`` : written`${isWindow ? over : every}`, promQl(piece, bound))),
  );
  return isWindow ? share : join(written`min_over_time((`, share, written`)[${over}:${every}])`);
}

/** The latency that is still good, as a bound of the histogram; of counted events their share. */
function goodWithin({ indicator }: Canary, at: Located<Canary>['at']): Figure {
  const { atMost = 0, unit = 's' } = indicator?.latency ?? {};
  return {
    name: 'canary.goodWithin',
    value: String(Number((atMost / msPerUnit[unit]).toPrecision(12))),
    why: `an event within ${durationText(atMost)} is good`,
    from: [at(['spec', 'indicator'])],
  };
}

/** PromQL whose bound of a bucket is a figure. */
function promQl(text: string, bound: Figure): FigureText {
  const pieces = text.split(new RegExp(`(?<=le=~?")${String(bound.value).replace('.', '\\.')}(?=["(])`));
  return { parts: pieces.flatMap((piece, i) => (i === 0 ? [piece] : [bound, piece])) };
}

function join(...texts: readonly FigureText[]): FigureText {
  return { parts: texts.flatMap(({ parts }) => parts) };
}

const judgedEvery = 'how often the canary is judged';
const windowMark = 'WINDOW';
