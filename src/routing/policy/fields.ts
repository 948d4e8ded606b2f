import { z } from 'zod';
import { shown, text, throughUnit } from '../../config/fields.ts';
import { SpeechfbError } from '../../errors.ts';
import { parseDollarsPerMinute, parsePercent } from '../../units.ts';

/** At least `from` and below `below`. */
export type AmountRange = { from: number; below: number };

/** `>= 85%` or `< 85%` of what is 100 % at most, as shares of 1. */
export function shareRange() {
  return text('a comparison such as ">= 85%"').transform(
    throughUnit((given) => {
      const range = parseRange(given, parsePercent);
      if (range.from > 1) throw neverOrAlways(given, 'never so: it is at most 100%');
      if (range.from === 0 && range.below > 1) throw neverOrAlways(given, 'always so: leave it out');
      return range;
    }),
  );
}

/** `>= $40/h` or `< $40/h`, as dollars an hour. */
export function spendRange() {
  return text('a comparison such as ">= $40/h"').transform(
    throughUnit((given) => {
      const range = parseRange(given, (amount) => parseOurDollarsPerMinute(amount) * 60);
      if (range.from === 0 && range.below === Number.POSITIVE_INFINITY)
        throw neverOrAlways(given, 'always so: leave it out');
      return range;
    }),
  );
}

/** A list of at least one, in which nothing stands twice. */
export function uniqueSome<Item extends z.ZodType>(item: Item, whenEmpty: string) {
  return z
    .array(item)
    .min(1, { error: () => whenEmpty })
    .superRefine(refuseTwice);
}

/** Refuses each entry of a list that stands there before. */
export function refuseTwice(list: readonly unknown[], context: z.RefinementCtx): void {
  for (const [at, one] of list.entries())
    if (list.indexOf(one) < at)
      context.addIssue({ code: 'custom', path: [at], message: `${shown(one)} stands in the list twice` });
}

/** `$20/h` as dollars an hour. */
function dollarsPerHour() {
  return text('money by the hour such as $20/h')
    .transform(throughUnit((given) => parseOurDollarsPerMinute(given) * 60))
    .refine((dollars) => dollars <= mostAMinute * 60, { error: () => 'is more than $60000/h, which nobody pays' });
}

/** `$0.0077/min` as dollars a minute of audio. */
export function dollarsPerAudioMinute() {
  return text('a price such as $0.0077/min')
    .transform(throughUnit(parseOurDollarsPerMinute))
    .refine((dollars) => dollars <= mostAMinute, { error: () => 'is more than $1000/min, which no audio costs' });
}

/** Money by the hour that something can be had for. */
export function someDollarsPerHour() {
  return dollarsPerHour().refine((dollars) => dollars > 0, { error: () => 'is nothing: nobody would ever be heard' });
}

/** A name as it stands in metrics and tables: its ends are no blanks. */
export function boundedName(what: string) {
  return text(what)
    .max(mostNameLength, { error: () => `is longer than ${mostNameLength} characters` })
    .refine((name) => name === name.trim(), { error: () => 'begins or ends with a blank' });
}

/**
 * A language as its primary subtag (BCP 47): rules are about languages, `es` takes es-MX along.
 */
export function language() {
  return text('a language such as es').transform(throughUnit(parseLanguage));
}

function parseLanguage(given: string): string {
  const [primary] = given.split('-');
  if (given !== primary && primary !== undefined && isLanguage(primary))
    throw new SpeechfbError('bad_config', `"${given}" is narrower than a rule can be; write ${primary.toLowerCase()}`);
  if (!isLanguage(given))
    throw new SpeechfbError('bad_config', `"${given}" is no language; write two or three letters, as es`);
  return given.toLowerCase();
}

function isLanguage(given: string): boolean {
  return /^[a-z]{2,3}$/i.test(given);
}

function parseRange(given: string, parse: (amount: string) => number): AmountRange {
  const [, sign, amount] = /^\s*(>=|<)\s*(.*)$/.exec(given) ?? [];
  if (sign === undefined || amount === undefined)
    throw new SpeechfbError('bad_config', `"${given}" is no comparison; write >= or < and an amount, as ">= 85%"`);
  const value = parse(amount);
  return sign === '<' ? { from: 0, below: value } : { from: value, below: Number.POSITIVE_INFINITY };
}

/** What is added up and compared has one currency, which is written. */
function parseOurDollarsPerMinute(given: string): number {
  if (/^\s*[$-]/.test(given)) return parseDollarsPerMinute(given.trim());
  throw new SpeechfbError(
    'bad_unit',
    `"${given.slice(0, mostNameLength)}" is not in dollars; write it as $0.0077/min or $1.20/h`,
  );
}

function neverOrAlways(given: string, what: string): SpeechfbError {
  return new SpeechfbError('bad_config', `"${given}" is ${what}`);
}

/** Slips by orders of magnitude lie beyond. */
const mostAMinute = 1000;
const mostNameLength = 200;
