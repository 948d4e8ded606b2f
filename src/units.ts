import { SpeechfbError } from './errors.ts';

/** Milliseconds from `20ms`, `1.5s`, `10m`, `1h`. A bare number is an error, except 0. */
export function parseDurationMs(text: string): number {
  return parseQuantity(text, 'duration', durations);
}

/** Bits per second from `320kbit`, `5mbit`, `1gbit`, or bytes per second as `16kB/s`, `16KiB/s`. */
export function parseBitsPerSecond(text: string): number {
  return parseQuantity(text, 'rate', rates);
}

/** Hz from `8kHz`, `44.1kHz`, `16000Hz`. */
export function parseHz(text: string): number {
  return parseQuantity(text, 'sample rate', { Hz: 1, kHz: 1000 });
}

/** MiB from `412Mi` or `1.5Gi`, as Kubernetes writes them. */
export function parseMebibytes(text: string): number {
  return parseQuantity(text, 'memory size', { Mi: 1, Gi: 1024 });
}

/** A fraction (0.05) from `5%`. */
export function parsePercent(text: string): number {
  // Rounded to the digits that a double has: 99.9 / 100 is above 0.999.
  return Number((parseQuantity(text, 'percentage', { '%': 1 }) / 100).toPrecision(15));
}

/** Arrivals a second from `2/s`, `30/min` or `500/h`. */
export function parsePerSecond(text: string): number {
  return parseQuantity(text, 'rate', { '/s': 1, '/min': 1 / 60, '/h': 1 / 3600 });
}

/** Events a minute from `20/s`, `1200/min` or `5000/h`. */
export function parsePerMinute(text: string): number {
  return parseQuantity(text, 'rate', { '/s': 60, '/min': 1, '/h': 1 / 60 });
}

/** Dollars from `$5` or `$0.0077`. */
export function parseDollars(text: string): number {
  const amount = /^\s*\$\s*(\d+(?:\.\d+)?|\.\d+)\s*$/.exec(text)?.[1];
  if (amount !== undefined) return Number(amount);
  throw new SpeechfbError('bad_unit', `"${text}" is not an amount of money; write it as $5 or $0.0077`);
}

/** Dollars a minute of audio from `$0.015/min` or `$1.20/h`. */
export function parseDollarsPerMinute(text: string): number {
  return parseQuantity(text.replace(/^\$/, ''), 'price', { '/min': 1, '/h': 1 / 60 }, text);
}

const durations = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const rates = {
  bit: 1,
  kbit: 1e3,
  mbit: 1e6,
  gbit: 1e9,
  'B/s': 8,
  'kB/s': 8e3,
  'MB/s': 8e6,
  'KiB/s': 8192,
  'MiB/s': 8_388_608,
};

function parseQuantity(text: string, what: string, units: Record<string, number>, name = text): number {
  const shown = name.length > longestQuantity ? `${name.slice(0, longestQuantity)}...` : name;
  // A quantity is short, and a pattern that looks at 100,000 blanks takes a while to say no.
  const given = text.length > longestQuantity ? '' : text;
  const match = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-zA-Z%/]*)\s*$/i.exec(given);
  const allowed = Object.keys(units).join(', ');
  const value = match?.[1] === undefined ? Number.NaN : Number(match[1]);
  const unit = match?.[2] ?? '';
  if (!Number.isFinite(value)) {
    const hint = hintFor(text, what);
    throw new SpeechfbError('bad_unit', `"${shown}" is not a ${what}; write a number and one of ${allowed}${hint}`);
  }
  if (unit === '' && value === 0) return 0;
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined) {
    const problem = unit === '' ? 'has no unit' : `has the unknown unit "${unit}"`;
    throw new SpeechfbError('bad_unit', `${what} "${shown}" ${problem}; allowed: ${allowed}${hintForUnit(unit)}`);
  }
  if (value < 0) throw new SpeechfbError('bad_unit', `${what} "${shown}" is negative`);
  if (!Number.isFinite(value * factor)) throw new SpeechfbError('bad_unit', `${what} "${shown}" is too large`);
  return value * factor;
}

const longestQuantity = 100;

/** What was probably meant by what is no number with a unit. */
function hintFor(text: string, what: string): string {
  const variable = /\$\{?(?:env:)?(\w+)\}?/.exec(text);
  if (variable) return `; ${variable[0]} is not filled in here: run the file through envsubst first`;
  const sum = [...text.matchAll(/(\d+(?:\.\d+)?)\s*(ms|us|h|m|s)(?![a-z])/gi)];
  const isSum = what === 'duration' && sum.length > 1 && /^\s*(?:\d+(?:\.\d+)?\s*(?:ms|us|h|m|s)\s*)+$/i.test(text);
  if (isSum) {
    const ms = sum.reduce(
      (total, [, value, unit]) => total + Number(value) * durations[unit!.toLowerCase() as 'ms'],
      0,
    );
    return `; ${text.trim()} is ${ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`}`;
  }
  if (what === 'percentage' && /^\s*[\d.]+%\s+[\d.]+%/.test(text))
    return '; a second figure is a correlation, which is not simulated: bursts are --gemodel "1% 25%"';
  return '';
}

/** `Mbps` and `Mbit/s` are what many write for `mbit`. */
function hintForUnit(unit: string): string {
  const meant = /^([kmg])(?:bps|b\/s|bit\/s|bits)$/i.exec(unit)?.[1]?.toLowerCase();
  return meant === undefined ? '' : `; ${unit} is written ${meant}bit`;
}
