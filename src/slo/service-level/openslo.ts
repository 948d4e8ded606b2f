import { z } from 'zod';
import { isNot, shown } from '../../config/sentences.ts';
import { msPerUnit } from './promql.ts';
import { matchersOf, quotedText } from './series.ts';
import type { ServiceLevelFile } from './service-level.ts';

/**
 * `openslo/v1` SLO documents (https://github.com/OpenSLO/OpenSLO) as our service level's input.
 * Supported: event based SLOs (budgetingMethod Occurrences) over a rolling window with an inline
 * indicator, from Prometheus; ratioMetric with good or bad and total, thresholdMetric on a
 * histogram. Anything else is refused by name, never approximated.
 */
const query = z.object({
  metricSource: z.object({
    type: z
      .string({ error: () => 'is missing; write Prometheus, or a metricSourceRef to a DataSource of this file' })
      .regex(/^prometheus$/i, {
        error: (issue) => isNot(issue.input, 'Prometheus, the only source that can be imported', 'Prometheus'),
      }),
    spec: z.object({ query: z.string({ error: () => 'is missing: write the Prometheus query' }).min(1) }),
  }),
});

const indicator = z.object({
  metadata: z.looseObject({ name: z.string().optional() }).optional(),
  spec: z
    .object({
      ratioMetric: z
        .object({
          counter: z.literal(true, {
            error: () =>
              'is not true: only ratios of counters, whose rates can be taken over every window, can be imported',
          }),
          good: query.optional(),
          bad: query.optional(),
          total: query,
        })
        .refine((ratio) => (ratio.good === undefined) !== (ratio.bad === undefined), {
          error: () => 'needs exactly one of good, bad',
        })
        .optional(),
      thresholdMetric: query.optional(),
    })
    .refine((spec) => (spec.ratioMetric === undefined) !== (spec.thresholdMetric === undefined), {
      error: () => 'needs exactly one of ratioMetric, thresholdMetric',
    }),
});

const objective = z
  .looseObject({
    displayName: z.string().optional(),
    target: z
      .number()
      .gt(0)
      .lt(1, { error: () => 'leaves no error budget: write a target below 1' })
      .optional(),
    targetPercent: z
      .number()
      .gt(0)
      .lt(100, { error: () => 'leaves no error budget: write less than 100' })
      .optional(),
    op: z
      .enum(['lte', 'lt'], { error: () => 'is not one of lte, lt: a histogram counts what lies below a bound' })
      .optional(),
    value: z.number().positive().optional(),
    timeSliceTarget: z.undefined({ error: () => 'cannot be imported: time slices are not events' }).optional(),
  })
  .refine((one) => (one.target === undefined) !== (one.targetPercent === undefined), {
    error: () => 'needs exactly one of target, targetPercent',
  });

export const openSloFile = z.object({
  apiVersion: z.literal('openslo/v1', { error: (issue) => isNot(issue.input, 'openslo/v1') }),
  kind: z.literal('SLO', {
    error: (issue) => isNot(issue.input, 'SLO, the kind that can be imported', 'SLO'),
  }),
  metadata: z.looseObject({ name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/), displayName: z.string().optional() }),
  spec: z
    .looseObject({
      description: z.string().optional(),
      service: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, { error: () => 'is not the name of a service' }),
      indicator: indicator.optional(),
      indicatorRef: z.undefined({ error: () => 'names no SLI of this file; write it here or inline' }).optional(),
      timeWindow: z
        .array(
          z.looseObject({
            duration: z.string().regex(/^\d+[dhw]$/, { error: (issue) => isNot(issue.input, 'such as 30d, 4w') }),
            isRolling: z.literal(true, {
              error: () => 'is not true: only rolling windows have a burn rate at any time',
            }),
          }),
        )
        .length(1, { error: () => 'needs exactly one window' }),
      budgetingMethod: z.literal('Occurrences', {
        error: (issue) =>
          issue.input === undefined
            ? 'is missing; write Occurrences'
            : `${shown(issue.input)} cannot be imported; allowed: Occurrences`,
      }),
      objectives: z.array(objective).min(1),
    })
    .superRefine((spec, context) => {
      if (!spec.indicator) context.addIssue({ code: 'custom', message: 'needs an indicator' });
      const threshold = spec.indicator?.spec.thresholdMetric;
      if (!threshold) return;
      const histogram = histogramOf(threshold.metricSource.spec.query);
      if ('fault' in histogram) {
        const path = ['indicator', 'spec', 'thresholdMetric', 'metricSource', 'spec', 'query'];
        context.addIssue({ code: 'custom', path, message: histogram.fault });
      }
      spec.objectives.forEach((one, i) => {
        if (one.op !== undefined && one.value !== undefined) return;
        context.addIssue({
          code: 'custom',
          path: ['objectives', i],
          message: 'a threshold needs op and value, in the unit of its histogram',
        });
      });
    }),
});

export type OpenSloFile = z.output<typeof openSloFile>;

/** The same promise as the input of a ServiceLevel document; its own defaults (alerts) apply. */
export function fromOpenSlo({ metadata, spec }: OpenSloFile): unknown {
  const one = spec.objectives.length === 1;
  return {
    apiVersion: 'speechfb.dev/v1alpha1',
    kind: 'ServiceLevel' satisfies ServiceLevelFile['kind'],
    metadata: { name: metadata.name, ...(spec.description ? { description: spec.description } : {}) },
    spec: {
      service: spec.service,
      period: spec.timeWindow[0]!.duration,
      objectives: spec.objectives.map((objective, i) => ({
        name: one ? metadata.name : `${metadata.name}-${slug(objective.displayName) || i + 1}`,
        target: `${Number((objective.targetPercent ?? (objective.target ?? 0) * 100).toPrecision(12))}%`,
        indicator: indicatorOf(spec, objective.value),
      })),
    },
  };
}

function indicatorOf(spec: OpenSloFile['spec'], value: number | undefined): unknown {
  const { ratioMetric, thresholdMetric } = spec.indicator!.spec;
  if (ratioMetric) {
    const { good, bad, total } = ratioMetric;
    const text = (source: z.output<typeof query>) => source.metricSource.spec.query;
    return { events: { ...(good ? { good: text(good) } : { bad: text(bad!) }), total: text(total) } };
  }
  const histogram = histogramOf(thresholdMetric!.metricSource.spec.query);
  if ('fault' in histogram) throw new TypeError(histogram.fault);
  const { name, matchers, unit } = histogram;
  const atMost = `${Number(((value ?? 0) * msPerUnit[unit]).toPrecision(12))}ms`;
  return { latency: { histogram: name, ...(matchers ? { matchers } : {}), atMost, unit } };
}

type Histogram = { name: string; matchers: string | undefined; unit: keyof typeof msPerUnit };

/**
 * The name and matchers of `name_bucket{...}`, alone or as the inner series of a quantile or a
 * rate, or why there is not just one. A bound that it chose itself (`le`) is left out: the
 * objective's value is the bound.
 */
function histogramOf(query: string): Histogram | { fault: string } {
  const found = new Map<string, Histogram>();
  for (const [, name = '', selector = ''] of query.matchAll(bucketSeries)) {
    const matchers = matchersOf(selector).filter((matcher) => !/^le\s*[=!]/.test(matcher));
    const unit = units.find(([ending]) => ending.test(name))?.[1] ?? 's';
    found.set(`${name}{${matchers.join(',')}}`, { name, matchers: matchers.join(',') || undefined, unit });
  }
  const [first, second] = found.keys();
  if (first === undefined)
    return {
      fault: 'is not a histogram such as http_request_duration_seconds_bucket{job="api"}: its events cannot be counted',
    };
  if (second !== undefined) return { fault: `has two histograms, ${first} and ${second}; a threshold is of one` };
  return found.get(first)!;
}

const bucketSeries = new RegExp(
  `([a-zA-Z_:][a-zA-Z0-9_:]*)_bucket\\b\\s*(?:\\{((?:${quotedText}|[^"'\`{}])*)\\})?`,
  'g',
);

/**
 * What a histogram counts in, by the end of its name; without one, seconds, as Prometheus asks for.
 */
const units: readonly (readonly [RegExp, keyof typeof msPerUnit])[] = [
  [/_(?:milliseconds|millis|msec|ms)$/, 'ms'],
  [/_(?:microseconds|micros|usec|us)$/, 'us'],
  [/_(?:nanoseconds|nanos|nsec|ns)$/, 'ns'],
];

function slug(text: string | undefined): string {
  return (text ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
