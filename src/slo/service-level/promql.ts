import { SpeechfbError } from '../../errors.ts';
import { overWindow, selectorOf } from './series.ts';
import type { Indicator } from './service-level.ts';

/** A range as Prometheus writes it: the largest whole units, `90s`, `1h`, `30d`. */
export function promDuration(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const;
  const [unit, size] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/** All events a second over `window`, as one series without labels. */
export function totalRate(indicator: Indicator, window: string): string {
  if (indicator.events) return rateOf(indicator.events.total, window);
  return rateOf(histogram(indicator, '_count', []), window);
}

/** How many events `window` held. */
export function eventCount(indicator: Indicator, window: string, windowMs: number): string {
  return `${totalRate(indicator, window)} * ${windowMs / 1000}`;
}

/**
 * Bad events a second over `window`. A good or bad counter that does not exist yet counts as 0:
 * without any failure the ratio is 0, and a bucket bound that no histogram has shows at once as
 * everything bad, not as silence.
 */
export function badRate(indicator: Indicator, window: string): string {
  const { events } = indicator;
  if (events?.bad !== undefined) return `(${rateOf(events.bad, window)} or vector(0))`;
  const good = events?.good ?? histogram(indicator, '_bucket', [bound(indicator)]);
  return `clamp_min(${totalRate(indicator, window)} - (${rateOf(good, window)} or vector(0)), 0)`;
}

/**
 * The share of bad events over `window`; no sample without events, so that silence is neither good
 * nor bad.
 */
export function badShare(indicator: Indicator, window: string): string {
  return `${badRate(indicator, window)} / (${totalRate(indicator, window)} > 0)`;
}

/**
 * The same events of one version only: its matchers join every selector. PromQL expressions keep
 * what they say.
 */
export function withMatchers(indicator: Indicator, matchers: string): Indicator {
  const { latency, events } = indicator;
  const narrowed = { ...indicator };
  if (latency) narrowed.latency = { ...latency, matchers: [latency.matchers, matchers].filter(Boolean).join(',') };
  if (events) {
    const { good, bad, total } = events;
    narrowed.events = {
      good: good && narrow(good, matchers),
      bad: bad && narrow(bad, matchers),
      total: narrow(total, matchers),
    };
  }
  return narrowed;
}

function narrow(series: string, matchers: string): string {
  const selector = selectorOf(series);
  if (!selector) {
    const hint = 'write the series alone, without functions; its rate is taken over every window';
    throw new SpeechfbError('bad_selector', `"${series}" is not a series whose version can be chosen`, { hint });
  }
  return `${selector.name}{${[selector.matchers, matchers].filter(Boolean).join(',')}}`;
}

/**
 * A counter is summed as a rate; PromQL that names `[$window]`, or one range throughout, is taken
 * as it is.
 */
function rateOf(series: string, window: string): string {
  const selector = selectorOf(series);
  if (!selector) return `(${overWindow(series, window)})`;
  const { name, matchers } = selector;
  return `sum(rate(${name}${matchers === undefined ? '' : `{${matchers}}`}[${window}]))`;
}

function histogram({ latency }: Indicator, suffix: string, extra: readonly string[]): string {
  if (!latency) throw new TypeError('an indicator has latency or events');
  const matchers = [latency.matchers, ...extra].filter((one) => one !== undefined);
  return `${latency.histogram}${suffix}${matchers.length > 0 ? `{${matchers.join(',')}}` : ''}`;
}

/** Milliseconds in one of what a histogram counts in. */
export const msPerUnit = { s: 1000, ms: 1, us: 1e-3, ns: 1e-6 } as const;

/** Prometheus 3 writes whole bounds as `1.0`, clients and Prometheus 2 as `1`. */
function bound({ latency }: Indicator): string {
  const value = Number(((latency?.atMost ?? 0) / msPerUnit[latency?.unit ?? 's']).toPrecision(12));
  return Number.isInteger(value) ? `le=~"${value}(\\\\.0)?"` : `le="${value}"`;
}
