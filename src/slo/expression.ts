import { SpeechfbError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { parseDurationMs, parsePercent } from '../units.ts';
import { type CountName, type DistributionName, type MetricName, metrics, type ShareName } from './metrics.ts';

/**
 * One objective, parsed.
 *
 * ```
 * objective  = reading comparator value
 * reading    = quantile "(" distribution ")"      p95(feedback_latency) < 500ms
 *            | "max" "(" distribution ")"         max(final_latency) <= 2s
 *            | share                              availability >= 99.9%
 *            | count                              lost_frames == 0
 *            | "rate" "(" count ")"               rate(violations) == 0      rate(sessions_died) < 1%
 * quantile   = "p" digits [ "." digits ]          above 0 and below 100: p50, p99.9
 * comparator = "<" | "<=" | ">" | ">=" | "=="     which ones depends on the reading, below
 * value      = duration | percentage | integer    20ms 1.5s, 99.9%, 0; by the reading
 * ```
 * Spaces may stand anywhere between these. Metric names are those of metrics.ts.
 */
export type Objective = { source: string; bound: number } & (
  | { reading: 'quantile'; metric: DistributionName; p: number; comparator: '<' | '<=' }
  | { reading: 'max'; metric: DistributionName; comparator: '<' | '<=' }
  | { reading: 'share'; metric: ShareName; comparator: '>' | '>=' }
  | { reading: 'count'; metric: CountName; comparator: '<' | '<=' | '==' }
  | { reading: 'rate'; metric: CountName; comparator: '<' | '<=' | '==' }
);

/** Reads one objective; `bad_objective` says which part is wrong, quotes it, and lists what is allowed. */
export function parseObjective(source: string): Objective {
  const match = /^\s*(?:([\w.]+)\s*\(\s*([^()]*?)\s*\)|([^()<>=\s]+))\s*([<>=!]+)\s*(.*?)\s*$/.exec(source);
  if (!match) {
    throw bad(source, 'is not "reading comparator value"', 'for example p95(feedback_latency) < 500ms');
  }
  const [, call, argument, bare, comparator = '', value = ''] = match;
  const metric = metricNamed(source, bare ?? argument ?? '');
  const kind = metrics[metric].kind;
  if (kind === 'distribution') {
    if (call === undefined) throw bad(source, `needs a quantile of ${metric}`, `for example p95(${metric})`);
    const allowed = oneOf(source, comparator, ['<', '<=']);
    const bound = boundOf(source, value, parseDurationMs);
    const name = metric as DistributionName;
    if (call === 'max') return { source, bound, reading: 'max', metric: name, comparator: allowed };
    return { source, bound, reading: 'quantile', metric: name, p: quantileOf(source, call), comparator: allowed };
  }
  if (kind === 'share') {
    if (call !== undefined)
      throw bad(source, `${metric} is a share and takes no ${call}()`, `write ${metric} >= 99.9%`);
    const allowed = oneOf(source, comparator, ['>', '>=']);
    const bound = boundOf(source, value, shareOf);
    return { source, bound, reading: 'share', metric: metric as ShareName, comparator: allowed };
  }
  const allowed = oneOf(source, comparator, ['<', '<=', '==']);
  const name = metric as CountName;
  if (call === 'rate') {
    return { source, bound: boundOf(source, value, shareOf), reading: 'rate', metric: name, comparator: allowed };
  }
  if (call !== undefined)
    throw bad(source, `${metric} is a count and takes no ${call}()`, `rate(${metric}), ${metric}`);
  return { source, bound: boundOf(source, value, wholeNumber), reading: 'count', metric: name, comparator: allowed };
}

function metricNamed(source: string, name: string): MetricName {
  if (Object.hasOwn(metrics, name)) return name as MetricName;
  const names = Object.keys(metrics);
  throw bad(source, `names the unknown metric "${name}"${didYouMean(name, names)}`, `metrics: ${names.join(', ')}`);
}

function quantileOf(source: string, call: string): number {
  const percent = /^p(\d+(?:\.\d+)?)$/.exec(call)?.[1];
  const p = Number(percent) / 100;
  if (percent !== undefined && p > 0 && p < 1) return p;
  throw bad(source, `has the unknown reading "${call}"`, 'p50, p95, p99.9 (above 0, below 100), max');
}

function oneOf<C extends string>(source: string, comparator: string, allowed: readonly C[]): C {
  const found = allowed.find((candidate) => candidate === comparator);
  if (found) return found;
  throw bad(source, `cannot be compared with "${comparator}"`, allowed.join(' '));
}

function boundOf(source: string, text: string, parse: (text: string) => number): number {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    throw new SpeechfbError('bad_objective', `objective "${source}": ${error.message}`, { cause: error });
  }
}

function shareOf(text: string): number {
  const share = parsePercent(text);
  if (share <= 1) return share;
  throw new SpeechfbError('bad_unit', `percentage "${text}" is above 100%`);
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new SpeechfbError('bad_unit', `"${text}" is not a whole number of 0 or more`);
}

function bad(source: string, problem: string, allowed: string): SpeechfbError {
  return new SpeechfbError('bad_objective', `objective "${source}" ${problem}; allowed: ${allowed}`);
}
