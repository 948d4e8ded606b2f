import { z } from 'zod';
import { section } from '../config/fields.ts';
import { isNot } from '../config/sentences.ts';

/**
 * Numbers of a file that speechfb itself wrote: they have no units, and are out of range only when
 * somebody changed them.
 */
export function countField(least = 0) {
  const error = (issue: { input?: unknown }) => isNot(issue.input, `a count: a whole number, ${least} or more`);
  return z.number({ error }).int({ error }).min(least, { error });
}

export function notNegative() {
  const error = (issue: { input?: unknown }) => isNot(issue.input, 'a number, 0 or more');
  return z.number({ error }).min(0, { error });
}

export function anyNumber() {
  return z.number({ error: (issue) => isNot(issue.input, 'a number') });
}

export function words(what: string) {
  return z.string({ error: (issue) => isNot(issue.input, what) });
}

export function trueOrFalse() {
  return z.boolean({ error: (issue) => isNot(issue.input, 'true or false') });
}

export function list<S extends z.ZodType>(of: S) {
  return z.array(of, { error: (issue) => isNot(issue.input, 'a list') });
}

/** A mapping that has some of these names, and no others. */
export function someOf<N extends string, S extends z.ZodType>(names: readonly N[], each: S) {
  const shape = Object.fromEntries(names.map((name) => [name, each.optional()])) as Record<N, z.ZodOptional<S>>;
  return section(shape);
}

/** A mapping that has all of these names, and no others. */
export function allOf<N extends string, S extends z.ZodType>(names: readonly N[], each: (name: N) => S) {
  return section(Object.fromEntries(names.map((name) => [name, each(name)])) as Record<N, S>);
}
