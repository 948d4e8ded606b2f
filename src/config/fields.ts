import { z } from 'zod';
import { SpeechfbError } from '../errors.ts';
import { parseDurationMs, parsePercent } from '../units.ts';
import { isNot, unknownKeys } from './sentences.ts';

export { shown } from './sentences.ts';

/**
 * An object that refuses unknown keys, names the one that was probably meant, and lists those that
 * exist.
 */
export function section<S extends z.core.$ZodShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys as string[], Object.keys(shape));
      return isNot(issue.input, `a mapping with ${Object.keys(shape).join(', ')}`);
    },
  });
}

/**
 * Runs a check of fields against one another even when single fields have failed, if there are
 * fields at all.
 */
export const despiteProblems = { when: ({ value }: { value: unknown }) => isMapping(value) };

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `20ms`, `1.5s`, `10m`, `1h`, as ms within [minMs, maxMs]. */
export function duration(minMs: number, maxMs: number) {
  return z
    .string({
      error: (issue) =>
        isNot(issue.input, 'a duration; write a number and one of us, ms, s, m, h', 'a duration such as 20ms'),
    })
    .meta({ pattern: '^\\s*[0-9.]+\\s*(us|ms|s|m|h)\\s*$', examples: ['20ms', '1.5s'] })
    .transform(throughUnit(parseDurationMs))
    .refine((ms) => ms >= minMs && ms <= maxMs, {
      error: (issue) => `${inUnits(issue.input as number)} is outside ${inUnits(minMs)} to ${inUnits(maxMs)}`,
    });
}

/** A duration as one would write it: `1 s`, `1500 ms`. */
export function inUnits(ms: number): string {
  const [unit, length] = (
    [
      ['h', 3_600_000],
      ['m', 60_000],
      ['s', 1000],
    ] as const
  ).find(([, one]) => ms > 0 && ms % one === 0) ?? ['ms', 1];
  return `${number(ms / length)} ${unit}`;
}

export function integer(min: number, max: number) {
  const error = (issue: { input?: unknown }) => isNot(issue.input, `a whole number from ${min} to ${max}`);
  return z.number({ error }).int({ error, abort: true }).min(min, { error }).max(max, { error });
}

/** One exact word, such as a `kind`. */
export function word<W extends string>(value: W) {
  return z.literal(value, { error: (issue) => isNot(issue.input, `allowed; allowed: ${value}`, value) });
}

export function text(what: string) {
  return z.string({ error: (issue) => isNot(issue.input, what) }).min(1, { error: () => `is empty; write ${what}` });
}

/** `40%` as .4, within [min, max]. */
export function percentField(min = 0, max = 1) {
  return text('a percentage such as 40%')
    .transform(throughUnit(parsePercent))
    .refine((share) => share >= min && share <= max, {
      error: (issue) =>
        `${number((issue.input as number) * 100)}% is outside ${number(min * 100)}% to ${number(max * 100)}%`,
    });
}

/** A plain number within [min, max]. */
export function amount(what: string, min: number, max: number) {
  const error = (issue: { input?: unknown }) => isNot(issue.input, `${what} from ${min} to ${max}`);
  return z.number({ error }).min(min, { error }).max(max, { error });
}

/** One of some words. */
export function oneOf<const W extends readonly string[]>(words: W) {
  return z.enum(words, {
    error: (issue) => isNot(issue.input, `allowed; allowed: ${words.join(', ')}`, `one of ${words.join(', ')}`),
  });
}

/**
 * Runs a parser that throws SpeechfbError and hands its sentence on as the problem of that field.
 */
export function throughUnit<T>(parse: (text: string) => T) {
  return (value: string, context: z.RefinementCtx): T => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof SpeechfbError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  };
}

function number(value: number): string {
  return `${Number(value.toPrecision(12))}`;
}
