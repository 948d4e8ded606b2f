import type { z } from 'zod';
import { didYouMean } from '../suggest.ts';

/**
 * A field that is not what it must be, or is not there: `500 is not a duration` or `is missing;
 * write a duration`.
 */
export function isNot(input: unknown, what: string, write = what): string {
  return input === undefined ? `is missing; write ${write}` : `${shown(input)} is not ${what}`;
}

/** A value as the reader wrote it, short enough for a sentence. */
export function shown(value: unknown): string {
  if (value === undefined) return 'is missing:';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 57)}...` : json;
}

/** What zod finds, where no field has a sentence of its own: never its own words. */
export function plainSentence(issue: z.core.$ZodRawIssue): string {
  const { input } = issue;
  if (issue.code === 'invalid_type') return isNot(input, typeNames[issue.expected] ?? `a ${issue.expected}`);
  if (issue.code === 'too_small')
    return outside(issue.origin, input, issue.inclusive ? 'at least' : 'above', issue.minimum);
  if (issue.code === 'too_big')
    return outside(issue.origin, input, issue.inclusive ? 'at most' : 'below', issue.maximum);
  if (issue.code === 'invalid_value') {
    const allowed = issue.values.map(String).join(', ');
    return input === undefined
      ? `is missing; write one of ${allowed}`
      : `${shown(input)} is not allowed; allowed: ${allowed}`;
  }
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, keysOf(issue.inst));
  if (issue.code === 'not_multiple_of') return `${shown(input)} is not a multiple of ${issue.divisor}`;
  if (issue.code === 'invalid_format') return `${shown(input)} is not written as ${issue.pattern ?? issue.format}`;
  return input === undefined ? 'is missing' : `${shown(input)} is not allowed`;
}

/** `unknown key "colour" (did you mean "color"?); allowed: color, size`. */
export function unknownKeys(unknown: readonly string[], allowed: readonly string[]): string {
  const named = firstFew(unknown, (key) => `${shown(key)}${didYouMean(key, allowed)}`);
  return `unknown key ${named}${allowed.length > 0 ? `; allowed: ${allowed.join(', ')}` : ''}`;
}

/** `a, b, c and 12 more`: who makes a thousand mistakes learns no more from all of them. */
export function firstFew<Item>(all: readonly Item[], tell: (item: Item) => string, few = 8): string {
  const told = all.slice(0, few).map(tell).join(', ');
  return all.length > few ? `${told} and ${all.length - few} more` : told;
}

/** The keys of the schema that found a problem. */
function keysOf(schema: z.core.$ZodRawIssue['inst']): string[] {
  const def: object = schema?._zod.def ?? {};
  return 'shape' in def ? Object.keys(def.shape as object) : [];
}

function outside(origin: string, input: unknown, bound: string, limit: number | bigint): string {
  if (origin === 'number' || origin === 'int') return `${shown(input)} is not ${bound} ${limit}`;
  const things = origin === 'string' ? 'characters' : 'entries';
  const length = (input as { length?: number } | undefined)?.length ?? 0;
  return `has ${length} ${things}; allowed: ${bound} ${limit}`;
}

const typeNames: Record<string, string> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  tuple: 'a list',
  string: 'text',
  boolean: 'true or false',
  int: 'a whole number',
};
