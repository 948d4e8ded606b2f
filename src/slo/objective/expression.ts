import { SpeechfbError } from '../../errors.ts';
import {
  type CostName,
  type CountName,
  type DistributionName,
  type LabelName,
  labelNames,
  type MetricName,
  metrics,
  type RateName,
  type Selector,
  type ShareName,
} from '../../metrics/definitions.ts';
import { didYouMean } from '../../suggest.ts';
import { parseDollarsPerMinute, parseDurationMs, parsePercent } from '../../units.ts';

/**
 * One objective, parsed. The grammar, in BNF:
 *
 * ```
 * <objective>  ::= <aggregation> [ <selector> ] <comparator> <value>
 * <aggregation> ::= <quantile> "(" <distribution> ")"    p95(feedback_latency) < 500ms
 *                | "max" "(" <distribution> ")"          max(final_latency) <= 2s
 *                | "mean" "(" <distribution> ")"         mean(phoneme_latency) < 150ms
 *                | <share>                               availability >= 99.9%
 *                | <rate>                                flicker_rate < 10%
 *                | <count>                               lost_frames == 0
 *                | "rate" "(" <count> ")"                rate(sessions_died) < 1%
 *                | <cost>                                cost_per_audio_minute <= $0.015
 * <quantile>   ::= "p" <digits> [ "." <digits> ]         above 0 and below 100: p50, p99.9
 * <selector>   ::= "{" [ <matcher> { "," <matcher> } ] "}"
 * <matcher>    ::= <label> "=" <text>                    profile=lte   language="en-US"
 * <label>      ::= "profile" | "language" | "phase" | "tenant"
 * <text>       ::= one or more of A-Z a-z 0-9 . _ : + -, with or without quotes around it
 * <comparator> ::= "<" | "<=" | ">" | ">=" | "=="        which ones depends on the aggregation
 * <value>      ::= <duration> | <percentage> | <integer> | <price>
 *                                                        20ms, 99.9%, 0, $0.015; by the aggregation
 * ```
 * Spaces may stand anywhere between these. <distribution>, <share>, <rate>, <count> and <cost> are
 * the names in metrics.ts of that kind. A selector narrows the objective to the sessions with these
 * labels; it may also stand inside the parentheses. `phase` is one of the load's, by when something
 * was due; counts, session_success and shaping_lateness are of sessions, which last for several,
 * and take none. A cost is of all sessions; a price without a unit is by the minute.
 */
export type Objective = { source: string; bound: number; selector: Selector } & (
  | { aggregation: 'quantile'; metric: DistributionName; p: number; comparator: '<' | '<=' }
  | { aggregation: 'max' | 'mean'; metric: DistributionName; comparator: '<' | '<=' }
  | { aggregation: 'share'; metric: ShareName; comparator: '>' | '>=' }
  | { aggregation: 'count'; metric: CountName; comparator: '<' | '<=' | '==' }
  | { aggregation: 'rate'; metric: CountName | RateName; comparator: '<' | '<=' | '==' }
  | { aggregation: 'cost'; metric: CostName; comparator: '<' | '<=' }
);

/**
 * Reads one objective; `bad_objective` says which part is wrong, quotes it, and lists what is
 * allowed.
 */
export function parseObjective(source: string): Objective {
  const objective = parsed(source);
  const { aggregation, comparator, bound } = objective;
  if ((comparator === '<' && bound === 0) || (comparator === '>' && bound === 1))
    throw bad(source, 'can never be met', comparator === '<' ? 'a bound above 0' : 'a bound below 100%, or >= 100%');
  if ((comparator === '>=' && bound === 0) || (comparator === '<=' && aggregation === 'rate' && bound === 1))
    throw bad(
      source,
      'is always met: it promises nothing',
      comparator === '>=' ? 'a bound above 0%' : 'a bound below 100%',
    );
  return objective;
}

function parsed(source: string): Objective {
  const parts = split(source);
  const { call, comparator, value } = parts;
  const metric = metricNamed(source, parts.name);
  const { kind, perPhase } = metrics[metric];
  const common = { source, selector: selectorOf(source, parts.matchers) };
  if (common.selector.phase !== undefined && !perPhase && kind !== 'cost')
    throw bad(source, `cannot tell which phase ${metric} belongs to`, 'profile, language, tenant');
  const bareOnly = (what: string, example: string) => {
    if (call !== undefined) throw bad(source, `${metric} is a ${what} and takes no ${call}()`, `write ${example}`);
  };
  switch (kind) {
    case 'distribution': {
      if (call === undefined) throw bad(source, `needs a quantile of ${metric}`, `for example p95(${metric})`);
      const allowed = oneOf(source, comparator, ['<', '<=']);
      const shared = { ...common, metric: metric as DistributionName, comparator: allowed };
      const bound = boundOf(source, value, parseDurationMs);
      if (call === 'max' || call === 'mean') return { ...shared, bound, aggregation: call };
      return { ...shared, bound, aggregation: 'quantile', p: quantileOf(source, call) };
    }
    case 'share': {
      bareOnly('share', `${metric} >= 99.9%`);
      const allowed = oneOf(source, comparator, ['>', '>=']);
      const bound = boundOf(source, value, shareOf);
      return { ...common, bound, aggregation: 'share', metric: metric as ShareName, comparator: allowed };
    }
    case 'rate': {
      bareOnly('rate', `${metric} < 10%`);
      const allowed = oneOf(source, comparator, ['<', '<=', '==']);
      const bound = boundOf(source, value, shareOf);
      return { ...common, bound, aggregation: 'rate', metric: metric as RateName, comparator: allowed };
    }
    case 'count': {
      const allowed = oneOf(source, comparator, ['<', '<=', '==']);
      if (call !== undefined && call !== 'rate')
        throw bad(source, `${metric} is a count and takes no ${call}()`, `rate(${metric}), ${metric}`);
      const shared = { ...common, metric: metric as CountName, comparator: allowed };
      if (call === 'rate') return { ...shared, bound: boundOf(source, value, shareOf), aggregation: 'rate' };
      return { ...shared, bound: boundOf(source, value, wholeNumber), aggregation: 'count' };
    }
    case 'cost': {
      bareOnly('cost', `${metric} <= $0.015`);
      if (Object.keys(common.selector).length > 0)
        throw bad(source, 'cannot share the cost out among sessions', `${metric} without a selector`);
      const allowed = oneOf(source, comparator, ['<', '<=']);
      const bound = boundOf(source, value, priceOf);
      return { ...common, bound, aggregation: 'cost', metric: metric as CostName, comparator: allowed };
    }
  }
}

type Parts = { call: string | undefined; name: string; matchers: string; comparator: string; value: string };

function split(source: string): Parts {
  const selector = String.raw`(?:\{([^{}]*)\})?`;
  const call = String.raw`([\w.]+)\s*\(\s*([^(){}]*?)\s*${selector}\s*\)`;
  const grammar = String.raw`^\s*(?:${call}|([^(){}<>=!\s]+))\s*${selector}\s*([<>=!]+)\s*(.*?)\s*$`;
  const match = new RegExp(grammar).exec(source);
  if (!match) throw bad(source, 'is not "aggregation comparator value"', 'for example p95(feedback_latency) < 500ms');
  const [, called, argument, inside, bare, behind, comparator = '', value = ''] = match;
  if (inside !== undefined && behind !== undefined) throw bad(source, 'has two selectors', 'one {label=value}');
  return { call: called, name: bare ?? argument ?? '', matchers: inside ?? behind ?? '', comparator, value };
}

function selectorOf(source: string, matchers: string): Selector {
  const selector: Partial<Record<LabelName, string>> = {};
  for (const matcher of matchers.split(',').filter((part, _, all) => all.length > 1 || part.trim() !== '')) {
    const match = /^\s*([^=\s]+)\s*=\s*(?:"([\w.:+-]+)"|([\w.:+-]+))\s*$/.exec(matcher);
    if (!match) throw bad(source, `has the matcher "${matcher.trim()}"`, '{profile=lte,language=en-US}');
    const [, label = '', quoted, plain] = match;
    if (label === 'stage') throw bad(source, 'has the label "stage", which is called "phase" now', 'phase=NAME');
    const known = labelNames.find((name) => name === label);
    if (!known) {
      throw bad(source, `has the unknown label "${label}"${didYouMean(label, labelNames)}`, labelNames.join(', '));
    }
    if (selector[known] !== undefined) throw bad(source, `names ${known} twice`, 'each label once');
    selector[known] = quoted ?? plain!;
  }
  return selector;
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
  throw bad(source, `has the unknown aggregation "${call}"`, 'p50, p95, p99.9 (above 0, below 100), max, mean');
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

/** $ a minute; a bare `$0.015` is by the minute. */
function priceOf(text: string): number {
  if (!text.startsWith('$')) throw new SpeechfbError('bad_unit', `"${text}" is not a price; write for example $0.015`);
  return parseDollarsPerMinute(text.includes('/') ? text : `${text}/min`);
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new SpeechfbError('bad_unit', `"${text}" is not a whole number of 0 or more`);
}

function bad(source: string, problem: string, allowed: string): SpeechfbError {
  return new SpeechfbError('bad_objective', `objective "${source}" ${problem}; allowed: ${allowed}`);
}
