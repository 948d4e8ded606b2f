import { SpeechfbError } from '../../errors.ts';
import { didYouMean } from '../../suggest.ts';
import { parseDollarsPerMinute, parsePercent } from '../../units.ts';
import type { Hindrance, RouteRequest } from './decide.ts';

/** A question to a policy: a session, a moment, and which backends cannot. */
export type RouteQuestion = {
  request: Omit<RouteRequest, 'draw'>;
  /** Undefined: asked for all shares of the rule. */
  draw: number | undefined;
  /** Whether it is one of the canary's sessions; undefined: asked for both. */
  canary: boolean | undefined;
  hindered: ReadonlyMap<string, Hindrance>;
};

const matters = ['language', 'tenant', 'device', 'lane', 'load', 'spend', 'cold', 'draw', 'canary'] as const;
const states = { full: 'full', broken: 'broken', 'over-cost': 'over its cost' } as const satisfies Record<
  string,
  Hindrance
>;

/**
 * Reads `language=es load=0.9 deepgram=broken`: words apart by blanks, each a matter or a backend
 * with `full`, `broken` or `over-cost`. Throws `bad_flag` with the word that cannot be read.
 */
export function parseQuestion(text: string, backends: readonly string[]): RouteQuestion {
  const request: Omit<RouteRequest, 'draw'> = { language: 'en', lane: 'live', load: 0, spend: 0, cold: false };
  const hindered = new Map<string, Hindrance>();
  const said = new Set<string>();
  let draw: number | undefined;
  let canary: boolean | undefined;
  for (const term of text.split(/\s+/).filter((word) => word !== '')) {
    const at = term.indexOf('=');
    const [key, value] = at < 0 ? [term, ''] : [term.slice(0, at), term.slice(at + 1)];
    if (said.has(key)) throw bad(term, `${key} is said twice`);
    said.add(key);
    if (value === '') throw bad(term, 'write KEY=VALUE');
    if (key === 'draw') draw = within(term, Number(value), 0, 1 - Number.EPSILON);
    else if (key === 'canary') canary = oneOf(term, value, ['true', 'false']) === 'true';
    else if (isMatter(key)) Object.assign(request, { [key]: read[key](term, value) });
    else if (backends.includes(key)) hindered.set(key, stateOf(term, value));
    else
      throw bad(
        term,
        `"${key}" is nothing that rules look at${didYouMean(key, [...matters, ...backends])}; ${allowed(backends)}`,
      );
  }
  return { request, draw, canary, hindered };
}

function allowed(backends: readonly string[]): string {
  return `allowed: ${matters.join(', ')}, and BACKEND=${Object.keys(states).join('|')} of ${backends.join(', ')}`;
}

type Matter = Exclude<(typeof matters)[number], 'draw' | 'canary'>;

function isMatter(key: string): key is Matter {
  return key !== 'draw' && key !== 'canary' && matters.some((matter) => matter === key);
}

const read: Record<Matter, (term: string, value: string) => unknown> = {
  language: (term, value) => {
    if (!/^[a-z]{2,3}(-[a-z0-9]+)*$/i.test(value)) throw bad(term, 'write a language as es or es-MX');
    return value;
  },
  tenant: (_, value) => value,
  device: (term, value) => oneOf(term, value, ['low', 'mid', 'high']),
  lane: (term, value) => oneOf(term, value, ['live', 'batch']),
  load: (term, value) =>
    within(term, value.endsWith('%') ? unit(term, () => parsePercent(value)) : Number(value), 0, 100),
  spend: (term, value) =>
    within(term, /[$/]/.test(value) ? unit(term, () => parseDollarsPerMinute(value) * 60) : Number(value), 0, 1e9),
  cold: (term, value) => oneOf(term, value, ['true', 'false']) === 'true',
};

function stateOf(term: string, value: string): Hindrance {
  return states[oneOf(term, value, Object.keys(states)) as keyof typeof states];
}

function oneOf(term: string, value: string, words: readonly string[]): string {
  if (words.includes(value)) return value;
  throw bad(term, `"${value}" is not allowed${didYouMean(value, words)}; allowed: ${words.join(', ')}`);
}

function within(term: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  throw bad(term, `is not a number from ${least} to ${Number(most.toPrecision(3))}`);
}

function unit(term: string, parse: () => number): number {
  try {
    return parse();
  } catch (error) {
    throw error instanceof SpeechfbError ? bad(term, error.message) : error;
  }
}

function bad(term: string, message: string): SpeechfbError {
  return new SpeechfbError('bad_flag', `--explain "${term}": ${message}`);
}
