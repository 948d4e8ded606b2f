import { z } from 'zod';
import { amount, duration, integer, inUnits, shown, text, throughUnit } from '../../config/fields.ts';
import { SpeechfbError } from '../../errors.ts';
import { parseDurationMs, parsePercent, parsePerSecond } from '../../units.ts';
import type { Range } from '../plan/load-profile.ts';

/**
 * `500ms`, or `500ms..3s` for a length that is drawn evenly from between; within [minMs, maxMs].
 */
export function range(minMs: number, maxMs: number) {
  return text('a duration such as 500ms, or a range such as 500ms..3s')
    .transform(throughUnit(parseRange))
    .refine(({ leastMs, mostMs }) => leastMs >= minMs && mostMs <= maxMs, {
      error: (issue) => {
        const { leastMs, mostMs } = issue.input as Range;
        const given = leastMs === mostMs ? inUnits(leastMs) : `${inUnits(leastMs)} to ${inUnits(mostMs)}`;
        return `${given} is outside ${inUnits(minMs)} to ${inUnits(maxMs)}`;
      },
    });
}

/** How many: a number of learners, a rate of arrivals, or a multiple of the phase before. */
export type Level = { value: number } | { times: number };

/** `40`, or `3x`: three times the phase before. */
export function learnersLevel() {
  const count = integer(0, mostLearners).transform((value): Level => ({ value }));
  return z.union([count, factor()], {
    error: (issue) =>
      `${shown(issue.input)} is not a number of learners; write a whole number up to ${mostLearners}, or 3x for three times the phase before`,
  });
}

/** `2/s`, `30/min`, `500/h`, or `3x`: three times the phase before. */
export function rateLevel() {
  return text('a rate such as 2/s, 30/min or 3x').transform(
    throughUnit((given): Level => {
      if (/x\s*$/.test(given)) return parseFactor(given);
      const value = parsePerSecond(given);
      if (value > mostPerSecond)
        throw new SpeechfbError('bad_unit', `${given} is more than ${mostPerSecond} arrivals a second`);
      return { value };
    }),
  );
}

/** A share of the learners: `60%`, or a plain number that is set against the others'. */
export type Weight = { value: number; percent: boolean };

export function weight() {
  const relative = amount('a weight', 0, 1e9).transform((value): Weight => ({ value, percent: false }));
  const percent = text('a weight').transform(
    throughUnit((given): Weight => ({ value: parsePercent(given), percent: true })),
  );
  return z.union([relative, percent], {
    error: (issue) => `${shown(issue.input)} is not a weight; write 60%, or a number that is set against the others'`,
  });
}

/** `true` or `false`. */
export function yesOrNo() {
  return z.boolean({ error: (issue) => `${shown(issue.input)} is not true or false` });
}

/**
 * What the weights of one list have wrong with each other, as [place in the list, or -1 for all of
 * it, sentence].
 */
export function weightProblems(weights: readonly (Weight | undefined)[]): [place: number, message: string][] {
  const given = weights.filter((one) => one !== undefined);
  const problems: [number, string][] = weights.flatMap((one, place) =>
    one?.value === 0 ? [[place, 'is 0: nobody would have it; leave the entry out']] : [],
  );
  const percents = given.filter(({ percent }) => percent);
  const sum = percents.reduce((total, { value }) => total + value, 0);
  if (given.length < weights.length) return problems;
  if (percents.length > 0 && percents.length < given.length) {
    problems.push([-1, 'mixes percentages with plain numbers; write all weights in one way']);
  } else if (percents.length > 0 && Math.abs(sum - 1) > 1e-6) {
    problems.push([-1, `has weights that sum to ${Number((sum * 100).toPrecision(6))}%; percentages must sum to 100%`]);
  }
  return problems;
}

/** Up to this many learners at once, and arrivals a second, may be asked for. */
const mostLearners = 100_000;
const mostPerSecond = 10_000;

/** A moment of the test or a length of it. */
export function moment() {
  return duration(0, 604_800_000);
}

function factor() {
  return text('a multiple such as 3x').transform(throughUnit(parseFactor));
}

function parseFactor(given: string): Level {
  const times = Number(/^\s*(\d+(?:\.\d+)?|\.\d+)\s*x\s*$/.exec(given)?.[1]);
  if (times > 0 && times <= 1000) return { times };
  throw new SpeechfbError('bad_unit', `"${given}" is not a multiple of the phase before; write it as 3x, up to 1000x`);
}

function parseRange(given: string): Range {
  const [first = '', second, ...rest] = given.split('..');
  if (rest.length > 0) throw new SpeechfbError('bad_unit', `"${given}" has more than two ends; write it as 500ms..3s`);
  const leastMs = parseDurationMs(first);
  const mostMs = second === undefined ? leastMs : parseDurationMs(second);
  if (leastMs <= mostMs) return { leastMs, mostMs };
  throw new SpeechfbError('bad_unit', `"${given}" ends before it begins`);
}
