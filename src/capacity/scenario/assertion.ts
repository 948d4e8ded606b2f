import { z } from 'zod';
import { section } from '../../config/fields.ts';
import { SpeechfbError } from '../../errors.ts';
import { parseBitsPerSecond, parseDollarsPerMinute, parseDurationMs, parsePercent } from '../../units.ts';

export const comparators = ['<=', '<', '>=', '>', '=='] as const;
export type Comparator = (typeof comparators)[number];

/** One line of `assert`, parsed: `costPerAudioMinute <= $0.015/min`. */
export type Assertion = { expression: string; metric: AssertMetric; comparator: Comparator; bound: number };

export type AssertionOutcome = { expression: string; value: number | null; verdict: 'pass' | 'fail' };

type Need = 'selfHosted' | 'managed' | 'supply' | 'batch';
type MetricShape = { parse: (text: string) => number; example: string; needs?: Need };

/** What can be asserted, in which unit. Shares of 1, dollars a minute or hour, ms, bytes. */
const assertMetrics = {
  costPerAudioMinute: { ...perMinute(), needs: 'supply' },
  selfHostedCostPerMinute: { ...perMinute(), needs: 'selfHosted' },
  managedCostPerMinute: { ...perMinute(), needs: 'managed' },
  simulatedCostPerAudioMinute: { ...perMinute(), needs: 'supply' },
  fleetCostPerHour: { parse: (text) => parseDollarsPerMinute(text) * 60, example: '$200/h', needs: 'selfHosted' },
  idleShare: { ...share(), needs: 'selfHosted' },
  breakEvenUtilisation: { ...share(), needs: 'selfHosted' },
  ingressBytesPerSecond: { parse: (text) => parseBitsPerSecond(text) / 8, example: '200MB/s' },
  concurrencyMean: plain(),
  concurrencyP999: plain(),
  streamsPerPod: plain(),
  podsMinimum: plain(),
  podsWithHeadroom: plain(),
  podsBlocking: plain(),
  peakPods: plain(),
  degradedStreamMinutes: plain(),
  degradedShare: share(),
  p95Wait: { parse: parseDurationMs, example: '2s' },
  p99Wait: { parse: parseDurationMs, example: '5s' },
  batchWorkers: { ...plain(), needs: 'batch' },
  batchWait: { parse: parseDurationMs, example: '10m', needs: 'batch' },
} as const satisfies Record<string, MetricShape>;

export type AssertMetric = keyof typeof assertMetrics;
const names = Object.keys(assertMetrics) as AssertMetric[];

/** `assert:` of a scenario: a metric, then one comparison or a list of them. */
export const assertionLines = section(
  Object.fromEntries(names.map((metric) => [metric, lines(metric).optional()])) as Record<
    AssertMetric,
    z.ZodOptional<ReturnType<typeof lines>>
  >,
);

/**
 * What a metric lacks in a scenario, named as the reader would write it; undefined when it can be
 * known.
 */
export function metricNeeds(
  metric: string,
  spec: { supply?: { selfHosted?: unknown; managed?: unknown } | undefined; batch?: unknown },
): string | undefined {
  const needs = Object.hasOwn(assertMetrics, metric) ? shapeOf(metric as AssertMetric).needs : undefined;
  const { selfHosted, managed } = spec.supply ?? {};
  if (needs === 'supply') return selfHosted || managed ? undefined : 'supply.selfHosted or supply.managed';
  if (needs === 'selfHosted') return selfHosted ? undefined : 'supply.selfHosted';
  if (needs === 'managed') return managed ? undefined : 'supply.managed';
  return needs === 'batch' && !spec.batch ? 'batch' : undefined;
}

/**
 * Judges one line. A value that never comes, such as the wait of somebody never served, fails
 * whatever was allowed.
 */
export function judgeAssertion({ expression, comparator, bound }: Assertion, value: number): AssertionOutcome {
  const holds = Number.isFinite(value) && compare(value, comparator, bound);
  return { expression, value: Number.isFinite(value) ? value : null, verdict: holds ? 'pass' : 'fail' };
}

function compare(value: number, comparator: Comparator, bound: number): boolean {
  if (comparator === '<=') return value <= bound;
  if (comparator === '<') return value < bound;
  if (comparator === '>=') return value >= bound;
  return comparator === '>' ? value > bound : value === bound;
}

function lines(metric: AssertMetric) {
  const error = () => `is not a comparison such as "<= ${shapeOf(metric).example}"`;
  const one = z.string({ error });
  return z.union([one, z.array(one).min(1)], { error }).transform((given, context): Assertion[] => {
    return [given].flat().flatMap((line) => {
      try {
        return [parseAssertion(metric, line)];
      } catch (error) {
        if (!(error instanceof SpeechfbError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return [];
      }
    });
  });
}

function parseAssertion(metric: AssertMetric, line: string): Assertion {
  const match = /^\s*(<=|>=|==|<|>)\s*(\S.*?)\s*$/.exec(line);
  const { parse, example } = shapeOf(metric);
  if (!match)
    throw new SpeechfbError(
      'bad_config',
      `"${line}" is not a comparison; write one of ${comparators.join(' ')} and a value, such as "<= ${example}"`,
    );
  const comparator = comparators.find((each) => each === match[1])!;
  return { expression: `${metric} ${comparator} ${match[2]}`, metric, comparator, bound: parse(match[2]!) };
}

function shapeOf(metric: AssertMetric): MetricShape {
  return assertMetrics[metric];
}

function perMinute() {
  return { parse: parseDollarsPerMinute, example: '$0.015/min' };
}

function share() {
  return { parse: parsePercent, example: '5%' };
}

function plain() {
  return { parse: parseCount, example: '100' };
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new SpeechfbError('bad_config', `"${text}" is not a plain number`);
  return value;
}
