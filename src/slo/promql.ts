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
 * Bad events a second over `window`. A good or bad counter that does not exist yet counts as 0: without any failure the
 * ratio is 0, and a bucket bound that no histogram has shows at once as everything bad, not as silence.
 */
export function badRate(indicator: Indicator, window: string): string {
  const { events } = indicator;
  if (events?.bad !== undefined) return `(${rateOf(events.bad, window)} or vector(0))`;
  const good = events?.good ?? histogram(indicator, '_bucket', [bound(indicator)]);
  return `clamp_min(${totalRate(indicator, window)} - (${rateOf(good, window)} or vector(0)), 0)`;
}

/** The share of bad events over `window`; no sample without events, so that silence is neither good nor bad. */
export function badShare(indicator: Indicator, window: string): string {
  return `${badRate(indicator, window)} / (${totalRate(indicator, window)} > 0)`;
}

/** A series selector is summed as a rate; PromQL that names `[$window]`, or any one range, is taken as it is. */
function rateOf(series: string, window: string): string {
  if (!series.includes('(')) return `sum(rate(${series.replace(/\[[^\]]*\]\s*$/, '')}[${window}]))`;
  return `(${series.replace(/\[\s*(?:\$window|[0-9a-z]+)\s*\]/g, `[${window}]`)})`;
}

function histogram({ latency }: Indicator, suffix: string, extra: readonly string[]): string {
  if (!latency) throw new TypeError('an indicator has latency or events');
  const matchers = [latency.matchers, ...extra].filter((one) => one !== undefined);
  return `${latency.histogram}${suffix}${matchers.length > 0 ? `{${matchers.join(',')}}` : ''}`;
}

/** Prometheus 3 writes whole bounds as `1.0`, clients and Prometheus 2 as `1`. */
function bound({ latency }: Indicator): string {
  const seconds = (latency?.atMost ?? 0) / 1000;
  return Number.isInteger(seconds) ? `le=~"${seconds}(\\\\.0)?"` : `le="${seconds}"`;
}
