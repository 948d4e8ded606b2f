import { largestNumber, ordinal, spellNumber, spellYear } from './numbers.ts';

/**
 * How numbers are read aloud in English: each function returns the readings in words, the commonest
 * first. Where there are several, the one that was said is found in the sound.
 */

/** The digits one by one, as in a telephone number: each "0" is zero or oh. */
export function digitReadings(digits: string): string[][] {
  return [...digits].map((digit) => (digit === '0' ? ['zero', 'oh'] : spellNumber(Number(digit))));
}

/** A whole number as it is written: 42, 007, 1,250, 2024, 90210. */
export function wholeReadings(written: string): string[] {
  const digits = written.replaceAll(',', '');
  const hasCommas = digits !== written;
  const value = Number(digits);
  if (digits.length > 1 && digits.startsWith('0')) return [oneByOne(digits, 'zero'), oneByOne(digits, 'oh')];
  if (value > largestNumber) return hasCommas && digits.length <= 15 ? [spellLarge(value)] : [oneByOne(digits, 'zero')];
  const count = spellNumber(value).join(' ');
  if (hasCommas || digits.length < 3) return [count];
  if (digits.length === 3) return unique([count, withAnd(value), ...hundredReadings(digits)]);
  if (digits.length > 4) return unique([count, oneByOne(digits, 'zero'), oneByOne(digits, 'oh')]);
  return fourDigitReadings(value, digits, count);
}

/** 3.14: three point one four; .5 has no whole part. */
export function decimalReadings(whole: string, fraction: string): string[] {
  const fractions = unique([oneByOne(fraction, 'zero'), oneByOne(fraction, 'oh')]);
  const wholes = whole === '' ? ['', 'zero '] : /^0$/.test(whole) ? ['zero ', '', 'oh '] : [`${countOf(whole)} `];
  return unique(wholes.flatMap((head) => fractions.map((tail) => `${head}point ${tail}`)));
}

/** 3,14: what others write for 3.14, or two numbers with no space between. */
export function commaReadings(first: string, second: string): string[] {
  const tails = unique([
    oneByOne(second, 'zero'),
    ...(second.startsWith('0') ? [oneByOne(second, 'oh')] : [countOf(second)]),
  ]);
  const head = countOf(first);
  return unique(['point ', 'comma ', ''].flatMap((sign) => tails.map((tail) => `${head} ${sign}${tail}`)));
}

/** 2nd, 22ND, 1,000th. */
export function ordinalReading(written: string): string | undefined {
  const digits = written.replaceAll(',', '');
  return Number(digits) > largestNumber || /^0\d/.test(digits)
    ? undefined
    : ordinal(countOf(digits).split(' ')).join(' ');
}

/** 1990s, 80's, 747s. */
export function pluralReadings(digits: string): string[] {
  const readings = /^(1[1-9]|20)\d0$/.test(digits) ? yearReadings(digits) : wholeReadings(digits);
  const plurals = readings.map(plural);
  // Behind one or two digits the s may be seconds.
  return /^\d{1,2}$/.test(digits) ? [...plurals, `${readings[0]} ${digits === '1' ? 'second' : 'seconds'}`] : plurals;
}

/** 1/2, 3/4: a fraction, a date, or what stands there. */
export function slashReadings(first: string, second: string): string[] {
  const [a, b] = [Number(first), Number(second)];
  const [top, bottom] = [countOf(first), countOf(second)];
  const fractions = a > 0 && b > 1 && b <= 1000 ? fractionReadings(a, b) : [];
  const dates = [...dateReadings(a, b), ...dateReadings(b, a)];
  return unique([...fractions, `${top} over ${bottom}`, `${top} ${bottom}`, `${top} slash ${bottom}`, ...dates]);
}

/** One half, a half; three quarters, three fourths. */
export function fractionReadings(top: number, bottom: number): string[] {
  const names =
    bottom === 2 ? ['half'] : bottom === 4 ? ['quarter', 'fourth'] : [ordinal(spellNumber(bottom)).join(' ')];
  if (top === 1) return names.flatMap((name) => [`one ${name}`, `a ${name}`, ...(bottom === 2 ? [name] : [])]);
  return names.map((name) => `${spellNumber(top).join(' ')} ${bottom === 2 ? 'halves' : `${name}s`}`);
}

/** 3:30: three thirty, half past three. */
export function timeReadings(hour: number, minute: number): string[] {
  const [now, next] = [hour, (hour % 12) + 1].map((value) => spellNumber(value).join(' '));
  if (minute === 0) return unique([`${now} o'clock`, now!, `${now} hundred`, `${now} zero zero`]);
  const minutes = spellNumber(minute).join(' ');
  if (minute < 10) return [`${now} oh ${minutes}`, `${now} zero ${minutes}`, `${now} ${minutes}`];
  const named: Record<number, string> = { 15: `quarter past ${now}`, 30: `half past ${now}`, 45: `quarter to ${next}` };
  return [`${now} ${minutes}`, ...(named[minute] && hour <= 12 ? [named[minute]] : [])];
}

/** What a small raised number says of the one before it: 5², 10⁶. */
export function powerReadings(exponent: number): string[] {
  if (exponent === 2) return ['squared', 'to the second', 'to the power of two'];
  if (exponent === 3) return ['cubed', 'to the third', 'to the power of three'];
  const count = spellNumber(Math.abs(exponent)).join(' ');
  if (exponent < 0)
    return ['minus', 'negative'].flatMap((sign) => [`to the ${sign} ${count}`, `to the power of ${sign} ${count}`]);
  const place = ordinal(count.split(' ')).join(' ');
  return [`to the ${place}`, `to the power of ${count}`, `to the ${count}`, `to the ${place} power`];
}

/** XIV: fourteen, the fourteenth; undefined for what is no Roman number. */
export function romanReadings(letters: string): string[] | undefined {
  if (!/^(?=[IVXLCDM])M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})$/.test(letters)) return undefined;
  const values = [...letters].map((letter) => romanValues[letter]!);
  const value = values.reduce((sum, one, at) => (one < (values[at + 1] ?? 0) ? sum - one : sum + one), 0);
  const count = spellNumber(value);
  const place = ordinal(count).join(' ');
  return [count.join(' '), `the ${place}`, place];
}

const romanValues: Readonly<Record<string, number>> = { I: 1, V: 5, X: 10, L: 50, C: 100, D: 500, M: 1000 };

const months = 'january february march april may june july august september october november december'.split(' ');

function dateReadings(month: number, day: number): string[] {
  if (month < 1 || month > 12 || day < 1 || day > 31) return [];
  const place = ordinal(spellNumber(day)).join(' ');
  return [`${months[month - 1]} ${place}`, `the ${place} of ${months[month - 1]}`];
}

function fourDigitReadings(value: number, digits: string, count: string): string[] {
  if (/^1[1-9]/.test(digits)) return unique([...yearReadings(digits), count, withAnd(value)]);
  if (/^20/.test(digits)) return unique([count, ...yearReadings(digits), withAnd(value)]);
  const [left, right] = [digits.slice(0, 2), digits.slice(2)];
  const pair =
    right === '00'
      ? `${countOf(left)} hundred`
      : `${countOf(left)} ${right.startsWith('0') ? `oh ${countOf(right)}` : countOf(right)}`;
  const pairs = digits.endsWith('000') ? [] : [pair];
  return unique([count, withAnd(value), ...pairs, oneByOne(digits, 'zero'), oneByOne(digits, 'oh')]);
}

function yearReadings(digits: string): string[] {
  const year = Number(digits);
  if (year < 2000) return [spellYear(year).join(' ')];
  const rest = year % 100;
  if (year === 2000) return ['two thousand'];
  return rest < 10 ? [`twenty oh ${countOf(String(rest))}`] : [`twenty ${countOf(String(rest))}`];
}

/** 747: seven forty seven, seven four seven. */
function hundredReadings(digits: string): string[] {
  if (digits.endsWith('00')) return digits === '100' ? ['a hundred'] : [];
  const rest = Number(digits.slice(1));
  const first = countOf(digits[0]!);
  const pair = rest < 10 ? `${first} oh ${countOf(String(rest))}` : `${first} ${countOf(String(rest))}`;
  return [pair, oneByOne(digits, 'zero'), oneByOne(digits, 'oh')];
}

/** One hundred and five; the plain words where nothing follows the hundreds. */
function withAnd(value: number): string {
  const rest = value % 100;
  const head = spellNumber(value - rest).join(' ');
  return rest === 0 ? head : `${head} and ${spellNumber(rest).join(' ')}`;
}

function countOf(written: string): string {
  const digits = written.replaceAll(',', '');
  if (/^0\d/.test(digits) || Number(digits) > largestNumber) return wholeReadings(written)[0]!;
  return spellNumber(Number(digits)).join(' ');
}

/** From a thousand million to a million million million. */
function spellLarge(value: number): string {
  const words: string[] = [];
  let rest = value;
  for (const [unit, name] of [
    [1e12, 'trillion'],
    [1e9, 'billion'],
  ] as const) {
    if (rest >= unit) words.push(...spellNumber(Math.floor(rest / unit)), name);
    rest %= unit;
  }
  return [...words, ...(rest > 0 ? spellNumber(rest) : [])].join(' ');
}

function oneByOne(digits: string, zero: string): string {
  return [...digits].map((digit) => (digit === '0' ? zero : countOf(digit))).join(' ');
}

function plural(reading: string): string {
  if (/y$/.test(reading)) return reading.replace(/y$/, 'ies');
  return /(six|x)$/.test(reading) ? `${reading}es` : `${reading}s`;
}

function unique(readings: readonly string[]): string[] {
  return [...new Set(readings)];
}
