/** Largest number that `spellNumber` reads as words. */
export const largestNumber = 999_999_999;

/**
 * The words of a whole number from 0 to `largestNumber`, as read aloud in American English: 42 ->
 * forty two.
 */
export function spellNumber(value: number): string[] {
  if (value >= 1_000_000) return withRest(spellNumber(Math.floor(value / 1_000_000)), 'million', value % 1_000_000);
  if (value >= 1000) return withRest(spellNumber(Math.floor(value / 1000)), 'thousand', value % 1000);
  if (value >= 100) return withRest(spellNumber(Math.floor(value / 100)), 'hundred', value % 100);
  if (value < 20) return [small[value]!];
  const rest = value % 10;
  return rest === 0 ? [tens[Math.floor(value / 10)]!] : [tens[Math.floor(value / 10)]!, small[rest]!];
}

/** A year from 1100 to 1999 as it is read: nineteen ninety, nineteen oh five, eighteen hundred. */
export function spellYear(year: number): string[] {
  const [century, rest] = [spellNumber(Math.floor(year / 100)), year % 100];
  if (rest === 0) return [...century, 'hundred'];
  return rest < 10 ? [...century, 'oh', small[rest]!] : [...century, ...spellNumber(rest)];
}

/** The words of a number as a place in an order: forty two -> forty second. */
export function ordinal(words: readonly string[]): string[] {
  const last = words.at(-1)!;
  return [...words.slice(0, -1), irregular.get(last) ?? `${last.replace(/y$/, 'ie')}th`];
}

const irregular = new Map([
  ['one', 'first'],
  ['two', 'second'],
  ['three', 'third'],
  ['five', 'fifth'],
  ['eight', 'eighth'],
  ['nine', 'ninth'],
  ['twelve', 'twelfth'],
]);

const small = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
];
const tens = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];

function withRest(head: readonly string[], unit: string, rest: number): string[] {
  return rest === 0 ? [...head, unit] : [...head, unit, ...spellNumber(rest)];
}
