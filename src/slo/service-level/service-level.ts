import { z } from 'zod';
import { duration, integer, oneOf, section, text, throughUnit, word } from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';
import { durationText, numberText, percentText } from '../../format.ts';
import { distributionNames, shareNames } from '../../metrics/definitions.ts';
import { type BurnAlert, burnForBudget, canFire, largestBurn, smallestTarget } from './burn.ts';
import { parsePeriodMs, parseShare, parseTarget, parseTraffic } from './quantities.ts';
import { matchersFault, matchersOf, seriesFault } from './series.ts';

const hourMs = 3_600_000;
const name = text('a name').regex(/^[a-z0-9][a-z0-9-]*$/, {
  error: (issue) => isNot(issue.input, 'lower-case letters, digits and hyphens'),
});
const refineBy = (fault: (given: string) => string | undefined) => (given: string, context: z.RefinementCtx) => {
  const message = fault(given);
  if (message) context.addIssue({ code: 'custom', message: `${JSON.stringify(given)} ${message}` });
};
const series = text('a series selector such as requests_total{job="speechfb"}, or PromQL with [$window]').superRefine(
  refineBy(seriesFault),
);
/** Label matchers of a histogram: `le` is what `atMost` stands for. */
export const matchers = text('label matchers such as job="speechfb"').superRefine(
  refineBy(
    (given) =>
      matchersFault(given) ??
      (matchersOf(given).some((one) => /^le\s*[=!]/.test(one)) ? 'chooses le; atMost does' : undefined),
  ),
);

/** What counts as a bad event. Exactly one of `latency` and `events`. */
export const indicator = section({
  /** Events of a Prometheus histogram; those above `atMost`, a bound of its buckets, are bad. */
  latency: section({
    histogram: text('the name of a histogram, without _bucket').regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, {
      error: (issue) => isNot(issue.input, 'a metric name'),
    }),
    matchers: matchers.optional(),
    atMost: duration(1, hourMs),
    /** What the histogram counts in. Prometheus asks for seconds; not everybody listens. */
    unit: oneOf(['s', 'ms', 'us', 'ns']).default('s'),
  }).optional(),
  events: section({ good: series.optional(), bad: series.optional(), total: series }).optional(),
  /**
   * The metric of a load test's run.json that stands for this objective; learners wait longer than
   * the server alone takes.
   */
  loadtest: section({
    metric: z.enum([...distributionNames, ...shareNames], {
      error: (issue) => isNot(issue.input, `one of ${[...distributionNames, ...shareNames].join(', ')}`),
    }),
    atMost: duration(1, hourMs).optional(),
  }).optional(),
}).superRefine((value, context) => {
  if ((value.latency === undefined) === (value.events === undefined)) {
    context.addIssue({ code: 'custom', message: 'needs exactly one of latency, events' });
  }
  if (value.events && (value.events.good === undefined) === (value.events.bad === undefined)) {
    context.addIssue({ code: 'custom', path: ['events'], message: 'needs exactly one of good, bad' });
  }
  const { loadtest } = value;
  const latency = distributionNames.some((name) => name === loadtest?.metric);
  if (loadtest && latency !== (loadtest.atMost !== undefined)) {
    const message = latency ? 'is a latency and needs atMost' : 'is a share and takes no atMost';
    context.addIssue({ code: 'custom', path: ['loadtest'], message: `${loadtest.metric} ${message}` });
  }
});

const objective = section({
  name,
  description: text('a sentence').optional(),
  target: text('a percentage such as 99.9%').transform(throughUnit(parseTarget)),
  indicator,
});

const alert = section({
  severity: z.enum(['page', 'ticket'], {
    error: (issue) => isNot(issue.input, 'one of page, ticket'),
  }),
  /** The share of the period's budget spent in the long window, or the burn rate itself. */
  budget: text('a percentage').transform(throughUnit(parseShare)).optional(),
  burn: z
    .number({ error: () => 'is not a number such as 14.4' })
    .positive({ error: () => 'is not above 0' })
    .optional(),
  long: period(60_000),
  short: period(15_000),
}).superRefine((value, context) => {
  if ((value.budget === undefined) === (value.burn === undefined)) {
    context.addIssue({ code: 'custom', message: 'needs exactly one of budget, burn' });
  }
  if (value.short >= value.long) {
    context.addIssue({ code: 'custom', path: ['short'], message: 'is not shorter than the long window' });
  }
});

/** The four rows of the SRE Workbook, chapter 5, for a period of 30 days: burn 14.4, 6, 3 and 1. */
const workbookAlerts: readonly z.output<typeof alert>[] = [
  { severity: 'page', budget: 0.02, long: hourMs, short: hourMs / 12 },
  { severity: 'page', budget: 0.05, long: 6 * hourMs, short: hourMs / 2 },
  { severity: 'ticket', budget: 0.1, long: 24 * hourMs, short: 2 * hourMs },
  { severity: 'ticket', budget: 0.1, long: 72 * hourMs, short: 6 * hourMs },
];

/** A service level as its YAML file describes it: times in ms, shares of 1. */
export const serviceLevelFile = section({
  apiVersion: word('speechfb.dev/v1alpha1').optional(),
  kind: word('ServiceLevel'),
  metadata: section({ name, description: text('a sentence').optional() }),
  spec: section({
    service: name,
    period: period(hourMs).prefault('30d'),
    /**
     * Events in the quietest hour that must still be judged; `check` then says how far one failure
     * carries.
     */
    traffic: text('a rate such as 1200/min').transform(throughUnit(parseTraffic)).optional(),
    objectives: z.array(objective, { error: () => 'is not a list of objectives' }).min(1, { error: () => 'is empty' }),
    /** Left out: the four rows of the SRE Workbook. */
    alerts: z.array(alert, { error: () => 'is not a list of alerts' }).optional(),
    /** An alert stays silent while its long window holds fewer events than this. */
    minimumEvents: integer(0, 1_000_000_000).prefault(0),
    /** Alert when the events themselves have been absent this long: silence is not health. */
    noData: period(60_000).optional(),
    /** The page of an alert, where `{alert}` stands for its name: its `runbook_url`. */
    runbook: text('where runbooks are, such as https://runbooks.example/{alert}')
      .refine((given) => given.includes('{alert}') && !/\s/.test(given), {
        error: (issue) =>
          `${JSON.stringify(issue.input)} needs {alert} where the name of the alert goes, and no blanks`,
      })
      .optional(),
  }).superRefine(reachable),
});

export type ServiceLevelFile = z.output<typeof serviceLevelFile>;
export type Indicator = z.output<typeof indicator>;
export type ServiceObjective = z.output<typeof objective>;

/** What the formulas work on. */
export type ServiceLevel = {
  name: string;
  service: string;
  periodMs: number;
  eventsPerMinute: number | undefined;
  objectives: readonly ServiceObjective[];
  alerts: readonly BurnAlert[];
  minimumEvents: number;
  noDataMs: number | undefined;
  /** Has `{alert}` in it. */
  runbook: string | undefined;
};

export function serviceLevelOf({ metadata, spec }: ServiceLevelFile): ServiceLevel {
  return {
    name: metadata.name,
    service: spec.service,
    periodMs: spec.period,
    eventsPerMinute: spec.traffic,
    objectives: spec.objectives,
    alerts: (spec.alerts ?? workbookAlerts).map(({ severity, long, short, ...alert }) => ({
      severity,
      burn: burnOf(alert, long, spec.period),
      longMs: long,
      tenthsMs: short,
    })),
    minimumEvents: spec.minimumEvents,
    noDataMs: spec.noData,
    runbook: spec.runbook,
  };
}

/** The JSON Schema (2020-12) that editors use; kept current in schemas/slo.schema.json. */
export function serviceLevelJsonSchema(): object {
  return {
    title: 'speechfb ServiceLevel',
    ...z.toJSONSchema(serviceLevelFile, { io: 'input', target: 'draft-2020-12' }),
  };
}

function period(leastMs: number) {
  return text('a length of time such as 5m, 1h or 30d')
    .transform(throughUnit(parsePeriodMs))
    .refine((ms) => ms >= leastMs, { error: () => `is shorter than ${leastMs / 1000} s` });
}

function burnOf(alert: { burn?: number | undefined; budget?: number | undefined }, longMs: number, periodMs: number) {
  // 2 % of 30 days in an hour is 14.4, not 14.400000000000002: the number goes into rules and
  // sentences.
  return alert.burn ?? Number(burnForBudget(alert.budget ?? 0, longMs, periodMs).toPrecision(12));
}

type Spec = {
  period: number;
  objectives: readonly { name: string; target: number }[];
  alerts?: readonly z.output<typeof alert>[] | undefined;
};

function reachable(spec: Spec, context: z.RefinementCtx): void {
  const say = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  const names = spec.objectives.map((objective) => objective.name);
  names.forEach((one, i) => {
    if (names.indexOf(one) !== i) say(['objectives', i, 'name'], `"${one}" is already an objective`);
  });
  (spec.alerts ?? workbookAlerts).forEach((alert, i) => {
    if (alert.long > spec.period) {
      const path = spec.alerts ? ['alerts', i, 'long'] : ['period'];
      say(
        path,
        `the long window of ${durationText(alert.long)} is longer than the period of ${durationText(spec.period)}`,
      );
    }
    const burn = burnOf(alert, alert.long, spec.period);
    spec.objectives.forEach(({ name, target }, j) => {
      if (!canFire(burn, target))
        say(spec.alerts ? ['alerts', i] : ['objectives', j, 'target'], neverFires(burn, name, target));
    });
  });
}

function neverFires(burn: number, objective: string, target: number): string {
  return (
    `an alert above a burn of ${numberText(burn)} can never fire for "${objective}": at a target of ` +
    `${percentText(target)} the burn is at most ${numberText(largestBurn(target))}, when every event is bad; ` +
    `allowed: a burn below that, or a target above ${percentText(smallestTarget(burn))}`
  );
}
