import {
  commaReadings,
  decimalReadings,
  digitReadings,
  fractionReadings,
  ordinalReading,
  pluralReadings,
  powerReadings,
  slashReadings,
  timeReadings,
  wholeReadings,
} from './number-readings.ts';
import type { Reading } from './text-word.ts';
import { currencies, scales, units, vulgarFractions } from './units.ts';

/**
 * How one form of number is written, and what is said for it; undefined when the match is no such
 * number after all.
 */
export type NumberRule = { pattern: RegExp; read(match: RegExpExecArray): Reading[] | undefined };

const whole = String.raw`(?:\d{1,3}(?:,\d{3})+|\d+)`;
const number = String.raw`${whole}(?:\.\d+)?`;
const fractions = Object.keys(vulgarFractions).join('');
/**
 * A number does not begin within another word or number, and nothing of it is left behind its end.
 */
const begin = String.raw`(?<![A-Za-z\d])`;
const end = String.raw`(?![\dA-Za-z]|[.,:/]\d|[-–][\d$€£¥]|\s[-–]\s\d|[$€£¥¢°]|["′″]\d|['′] ?\d|['′]['′]|[″⁄²³¹⁰⁴-⁹⁻₀-₉${fractions}])`;
const anyUnit = [...Object.keys(units), 'M']
  .sort((a, b) => b.length - a.length)
  // Letters alone are units in small type only: 5G is no weight.
  .map((unit) =>
    /^[a-z/]{2,}$/.test(unit)
      ? [...unit].map((c) => (c === '/' ? '/' : `[${c}${c.toUpperCase()}]`)).join('')
      : unit.replace(/c$/, '[Cc]').replace(/f$/, '[Ff]'),
  )
  .join('|');
const unitEnd = String.raw`(?![A-Za-z\d/²³])`;

/** In order: the first that matches is used. */
export const numberRules: readonly NumberRule[] = [
  rule(String.raw`${begin}\+?(?:\d{1,3}[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}${end}`, ([text]) =>
    telephone(text),
  ),
  rule(String.raw`\(\d{3}\) ?\d{3}[-. ]\d{4}${end}`, ([text]) => telephone(text)),
  rule(String.raw`${begin}\d{3}-\d{4}${end}`, ([text]) => telephone(text)),
  rule(String.raw`\+(?:\d{7,15}|\d{1,3}(?:[-. ]\(?\d+\)?)+)${end}`, ([text]) =>
    text.replace(/\D/g, '').length > 6 ? telephone(text) : undefined,
  ),
  rule(String.raw`${begin}\d{1,3}(?:\.\d{1,3}){2,}${end}`, ([text]) => dotted(text)),
  rule(
    String.raw`(?<![\w])([-−]?)([$£€¥]) ?(${number})(?: ?(${Object.keys(scales).join('|')})(?![A-Za-z]))?${end}`,
    ([, sign, currency, amount, scale]) => money(sign!, currency!, amount!, scale),
    'i',
  ),
  rule(String.raw`${begin}([-−]?)(${number}) ?([$£€¥])(?![\d\w])`, ([, sign, amount, currency]) =>
    money(sign!, currency!, amount!, undefined),
  ),
  rule(
    String.raw`${begin}(\d{1,3}):(\d{1,3})(?: ?([ap])\.?m(?:\.(?!\w))?(?![A-Za-z]))?${end}`,
    ([, hour, minute, half]) => clock(hour!, minute!, half),
    'i',
  ),
  rule(
    String.raw`${begin}(\d{1,2})([ap])\.?m(?![A-Za-z])`,
    ([, hour, half]) => [{ readings: wholeReadings(hour!) }, { readings: [`${half!.toLowerCase()}.m`] }],
    'i',
  ),
  rule(String.raw`${begin}(\d+) (\d+)/(\d+)${end}`, ([, count, top, bottom]) =>
    mixed(count!, Number(top), Number(bottom)),
  ),
  rule(String.raw`${begin}(\d{1,4})/(\d{1,4})${end}`, ([, top, bottom]) => slash(top!, bottom!)),
  rule(String.raw`${begin}(\d*) ?([${fractions}])(?![\dA-Za-z${fractions}])`, ([, count, sign]) =>
    vulgar(count!, sign!),
  ),
  rule(String.raw`${begin}(${number})[-–](${number})(?: ?(${anyUnit})${unitEnd})?${end}`, ([, from, to, unit]) =>
    range(from!, to!, unit),
  ),
  rule(String.raw`${begin}(${number}|[A-Za-z])(⁻?)([⁰¹²³⁴-⁹]+)(?![\dA-Za-z])`, ([, base, sign, raised]) =>
    power(base!, sign!, raised!),
  ),
  rule(String.raw`${begin}'?(\d{1,4})'?s(?![A-Za-z\d])`, ([, digits]) => [{ readings: pluralReadings(digits!) }]),
  rule(String.raw`${begin}(${whole})(?:st|nd|rd|th)(?![A-Za-z\d])`, ([, digits]) => one(ordinalReading(digits!)), 'i'),
  rule(String.raw`${begin}(\d{1,3}(?: \d{3})+)${end}(?! \d)`, ([, groups]) => spaced(groups!)),
  rule(
    String.raw`(?<=^|[\s("'])([-−+]?)${begin}(${number}) ?(k?m|[cm]m|mi|ft)([²³])(?![A-Za-z\d])`,
    ([, sign, count, unit, raised]) => area(sign!, count!, unit!, raised!),
  ),
  rule(String.raw`(?<=^|[\s("'])([-−+])(${number})(?: ?(${anyUnit})${unitEnd})?${end}`, ([, sign, count, unit]) =>
    measure(sign!, count!, unit),
  ),
  rule(String.raw`${begin}(${number}) ?(${anyUnit})${unitEnd}`, ([, count, unit]) => measure('', count!, unit)),
  rule(String.raw`${begin}(${number})[kK]${end}`, ([, count]) => [
    { readings: countReadings(count!).flatMap((text) => [`${text} k`, `${text} thousand`]) },
  ]),
  rule(String.raw`#(${number})${end}`, ([, count]) => [
    { readings: ['number', 'hash', 'pound'] },
    { readings: countReadings(count!) },
  ]),
  rule(String.raw`(?<=^|[\s("'])\.(\d+)${end}`, ([, digits]) => [{ readings: decimalReadings('', digits!) }]),
  rule(String.raw`${begin}(${number})${end}`, ([, count]) => [{ readings: countReadings(count!) }]),
  rule(String.raw`${begin}\d+(?:,\d+)+${end}`, ([text]) => list(text)),
  rule(String.raw`(?<=[A-Za-z])[₀-₉]+`, ([text]) => [{ readings: wholeReadings(text.normalize('NFKC')) }]),
  rule(String.raw`(?<=\d ?)[xX](?= ?\d)`, () => [{ readings: ['x', 'by', 'times'] }]),
  rule(String.raw`${begin}(?=\d*[A-Za-z])(?=[A-Za-z]*\d)[A-Za-z\d]+(?![A-Za-z\d]|[.,:/]\d|[-–]\d)`, ([text]) =>
    code(text),
  ),
];

function rule(pattern: string, read: NumberRule['read'], flags = ''): NumberRule {
  return { pattern: new RegExp(pattern, `y${flags}`), read };
}

function one(reading: string | undefined): Reading[] | undefined {
  return reading === undefined ? undefined : [{ readings: [reading] }];
}

function countReadings(written: string): string[] {
  const [digits = '', fraction] = written.split('.');
  return fraction === undefined ? wholeReadings(digits) : decimalReadings(digits, fraction);
}

/** Each digit a word, so that the reader may pause anywhere. */
function telephone(text: string): Reading[] {
  return (text.match(/\+|\d+/g) ?? []).flatMap((group) => {
    if (group === '+') return [{ readings: ['plus'] }];
    if (/^[1-9]00$/.test(group)) return [{ readings: [...allDigits(group), wholeReadings(group)[0]!] }];
    return digitReadings(group).map((readings) => ({ readings }));
  });
}

/** Addresses of computers and versions: 192.168.0.1, 1.2.3. */
function dotted(text: string): Reading[] | undefined {
  const groups = text.split('.');
  if (groups.some((group) => /^0\d/.test(group))) return undefined;
  return groups.flatMap((group, at) => {
    const readings = { readings: wholeReadings(group) };
    return at === 0 ? [readings] : [{ readings: ['dot', 'point'] }, readings];
  });
}

function money(sign: string, currency: string, amount: string, scale: string | undefined): Reading[] {
  const { unit, hundredth } = currencies[currency]!;
  const [digits = '', fraction] = amount.split('.');
  const count = wholeReadings(digits.replace(/^(?=\d{4}$)(\d)/, '$1,'))[0]!;
  if (scale !== undefined) {
    const names = scales[scale.toLowerCase()]!;
    const counts = fraction === undefined ? [count] : decimalReadings(digits, fraction);
    return signed(
      sign,
      counts.flatMap((text) => names.map((name) => `${text} ${name} ${unit[1]}`)),
    );
  }
  const isOne = digits === '1';
  const named = `${count} ${unit[isOne ? 0 : 1]}`;
  if (fraction === undefined || Number(fraction) === 0)
    return signed(sign, [named, ...(isOne ? [`a ${unit[0]}`] : [])]);
  if (fraction.length !== 2 || hundredth === undefined || /^0\d/.test(digits)) {
    return signed(
      sign,
      decimalReadings(digits, fraction).map((text) => `${text} ${unit[1]}`),
    );
  }
  const small = wholeReadings(String(Number(fraction)))[0]!;
  const cents = `${small} ${hundredth[fraction === '01' ? 0 : 1]}`;
  if (Number(digits) === 0) return signed(sign, [cents, `${named} and ${cents}`]);
  const bare = fraction.startsWith('0') ? `oh ${small}` : small;
  return signed(sign, [`${named} and ${cents}`, `${named} ${cents}`, `${named} ${bare}`, `${count} ${bare}`]);
}

function signed(sign: string, readings: readonly string[]): Reading[] {
  if (sign === '') return [{ readings }];
  return [{ readings: sign === '+' ? ['plus', 'positive'] : ['minus', 'negative'] }, { readings }];
}

function clock(hour: string, minute: string, half: string | undefined): Reading[] | undefined {
  const [h, m] = [Number(hour), Number(minute)];
  if (minute.length !== 2 || h > 24 || m > 59 || hour.length > 2) {
    if (/^0\d/.test(minute) || half !== undefined) return undefined;
    const [a, b] = [wholeReadings(hour)[0], wholeReadings(minute)[0]];
    return [{ readings: [`${a} to ${b}`, `${a} ${b}`] }];
  }
  const readings =
    hour.length === 2 && h < 10
      ? [...timeReadings(h, m), ...timeReadings(h, m).map((text) => `oh ${text}`)]
      : timeReadings(h, m);
  return half === undefined ? [{ readings }] : [{ readings }, { readings: [`${half.toLowerCase()}.m`] }];
}

function mixed(count: string, top: number, bottom: number): Reading[] | undefined {
  if (top === 0 || top >= bottom || bottom > 1000 || /^0\d/.test(count)) return undefined;
  const parts = withoutBareHalf(fractionReadings(top, bottom));
  return [{ readings: parts.map((part) => `${wholeReadings(count)[0]} and ${part}`) }];
}

function slash(top: string, bottom: string): Reading[] | undefined {
  return /^0|\D/.test(top + bottom) || /^0/.test(bottom) ? undefined : [{ readings: slashReadings(top, bottom) }];
}

function vulgar(count: string, sign: string): Reading[] | undefined {
  const [top, bottom] = vulgarFractions[sign]!;
  return count === '' ? [{ readings: fractionReadings(top, bottom) }] : mixed(count, top, bottom);
}

/** A half before one half: "one and a half" is said more often. */
function withoutBareHalf(readings: readonly string[]): string[] {
  const full = readings.filter((reading) => reading.includes(' '));
  return [
    ...full.filter((reading) => reading.startsWith('a ')),
    ...full.filter((reading) => !reading.startsWith('a ')),
  ];
}

function range(from: string, to: string, unit: string | undefined): Reading[] | undefined {
  if (/^0\d/.test(from) || /^0\d/.test(to)) return undefined;
  const [starts, stops] = [countReadings(from).slice(0, 2), countReadings(to).slice(0, 2)];
  const names = unit === undefined ? [''] : unitNames(unit, true).map((name) => ` ${name}`);
  const readings = ['to ', '', 'through ', 'minus '].flatMap((sign) =>
    starts.flatMap((start) => stops.flatMap((stop) => names.map((name) => `${start} ${sign}${stop}${name}`))),
  );
  return [{ readings: readings.slice(0, 24) }];
}

function power(base: string, sign: string, raised: string): Reading[] | undefined {
  const digits = raised.normalize('NFKC');
  // A 1 is a note's mark more often than a power, and so is any behind a year.
  if (/^[01]/.test(digits) || digits.length > 2 || /^[12]\d{3}$/.test(base)) return undefined;
  const bases = /\d/.test(base) ? countReadings(base).slice(0, 1) : [base.toLowerCase()];
  const powers = powerReadings(sign === '' ? Number(digits) : -Number(digits));
  return [{ readings: bases.flatMap((text) => powers.map((tail) => `${text} ${tail}`)) }];
}

function spaced(groups: string): Reading[] {
  const parts = groups.split(' ');
  const apart = parts.map((part) => wholeReadings(part)[0]!).join(' ');
  const digits = parts.flatMap((part) => allDigits(part).slice(0, 1)).join(' ');
  const joined = parts[0]!.startsWith('0') ? [] : wholeReadings(parts.join(','));
  return [{ readings: [...joined, apart, digits] }];
}

function area(sign: string, count: string, unit: string, raised: string): Reading[] {
  const [adjective, past] = raised === '²' ? ['square', 'squared'] : ['cubic', 'cubed'];
  const name = units[unit]![0]![1];
  return signed(
    sign,
    countReadings(count)
      .slice(0, 2)
      .flatMap((text) => [`${text} ${adjective} ${name}`, `${text} ${name} ${past}`]),
  );
}

function measure(sign: string, count: string, unit: string | undefined): Reading[] {
  const counts = countReadings(count);
  if (unit === undefined) return signed(sign, counts);
  const names = unitNames(unit, count !== '1');
  return signed(sign, counts.flatMap((text) => names.map((name) => `${text} ${name}`)).slice(0, 24));
}

function unitNames(unit: string, isMany: boolean): string[] {
  if (unit === 'M') return ['million', 'm'];
  return units[unit.toLowerCase()]!.map((names) => names[isMany ? 1 : 0]);
}

/** 1,2,3 is a list; 3,14 a list of two or a decimal. */
function list(text: string): Reading[] | undefined {
  const parts = text.split(',');
  // Grouped by hundreds, as in India: 12,34,567.
  if (/^\d{1,2}(?:,\d{2})+,\d{3}$/.test(text)) return undefined;
  if (parts.length === 2) return [{ readings: commaReadings(parts[0]!, parts[1]!) }];
  return parts.map((part) => ({ readings: wholeReadings(part) }));
}

/** Letters and digits in one: B2B, MP3, A380, 4G. */
function code(text: string): Reading[] | undefined {
  const runs = text.match(/\d+|[A-Za-z]+/g)!;
  if (runs.length > 5 || runs.some((run) => /^\d{6,}$/.test(run))) return undefined;
  return runs.map((run, at) => {
    if (/\d/.test(run)) return { readings: wholeReadings(run) };
    const letters = run.toLowerCase();
    if (/^x$/i.test(run) && at > 0 && at < runs.length - 1) return { readings: ['x', 'by', 'times'] };
    return { readings: run.length > 1 && run.length < 5 ? [letters, [...letters].join(' ')] : [letters] };
  });
}

function allDigits(digits: string): string[] {
  const zeros = digitReadings(digits);
  return [0, 1].map((choice) => zeros.map((readings) => readings[choice] ?? readings[0]!).join(' '));
}
