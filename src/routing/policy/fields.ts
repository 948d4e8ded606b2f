import { text, throughUnit } from '../../config/fields.ts';
import { SpeechfbError } from '../../errors.ts';
import { parseDollarsPerMinute, parsePercent } from '../../units.ts';

/** At least `from` and below `below`. */
export type AmountRange = { from: number; below: number };

/** `>= 85%` or `< 85%`, as shares of 1. */
export function shareRange() {
  return text('a comparison such as ">= 85%"').transform(throughUnit((given) => parseRange(given, parsePercent)));
}

/** `>= $40/h` or `< $40/h`, as dollars an hour. */
export function spendRange() {
  return text('a comparison such as ">= $40/h"').transform(
    throughUnit((given) => parseRange(given, (amount) => parseDollarsPerMinute(amount) * 60)),
  );
}

/** `$20/h` as dollars an hour. */
export function dollarsPerHour() {
  return text('money by the hour such as $20/h')
    .transform(throughUnit((given) => parseDollarsPerMinute(given) * 60))
    .refine((dollars) => dollars <= mostAMinute * 60, { error: () => 'is more than $60000/h, which nobody pays' });
}

/** `$0.0077/min` as dollars a minute of audio. */
export function dollarsPerAudioMinute() {
  return text('a price such as $0.0077/min')
    .transform(throughUnit(parseDollarsPerMinute))
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

/** Slips by orders of magnitude lie beyond. */
const mostAMinute = 1000;
const mostNameLength = 200;
