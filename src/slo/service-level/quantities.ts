import { SpeechfbError } from '../../errors.ts';
import { parseDurationMs, parsePercent } from '../../units.ts';

const dayMs = 86_400_000;

/** Milliseconds from `30d`, `4w`, or any duration of units.ts. */
export function parsePeriodMs(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([dw])\s*$/.exec(text);
  return match ? Number(match[1]) * (match[2] === 'w' ? 7 * dayMs : dayMs) : parseDurationMs(text);
}

/** Events a minute, above 0, from `20/s`, `1200/min`, `5000/h`. */
export function parseEventsPerMinute(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*\/\s*(s|min|h)\s*$/.exec(text);
  if (!match) {
    throw new SpeechfbError('bad_unit', `"${text}" is not a rate of events; write a number and one of /s, /min, /h`);
  }
  const perMinute = Number(match[1]) * { s: 60, min: 1, h: 1 / 60 }[match[2] as 's' | 'min' | 'h'];
  if (perMinute > 0) return perMinute;
  throw new SpeechfbError('bad_unit', `"${text}" is no traffic: nothing could ever be judged; write a rate above 0`);
}

/** A share above 0 and below 1 from `99.9%`. */
export function parseShare(text: string): number {
  const share = parsePercent(text);
  if (share <= 0 || share > 1) throw new SpeechfbError('bad_unit', `"${text}" is outside 0% to 100%`);
  return share;
}

/** The objective of a service level: a share of good events that leaves a budget for bad ones. */
export function parseTarget(text: string): number {
  const share = parseShare(text);
  if (share < 1) return Math.round(share * 1e12) / 1e12;
  throw new SpeechfbError('bad_unit', `"${text}" leaves no error budget: no burn rate exists; write less than 100%`);
}

/** `72%`, `1.44%`, `0.0123%`: up to four significant digits, trailing zeros dropped. */
export function percentText(share: number): string {
  const percent = share * 100;
  if (percent === 0) return '0%';
  const digits = Math.max(0, Math.min(8, 3 - Math.floor(Math.log10(Math.abs(percent)))));
  return `${Number(percent.toFixed(digits))}%`;
}

/** A length of time for a sentence: `2d 2h`, `8m 38s`, `51.8s`, `100ms`, `never`; two units at most. */
export function spanText(ms: number): string {
  if (!Number.isFinite(ms)) return 'never';
  if (ms < 1000) return `${Number(ms.toPrecision(3))}ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toPrecision(3))}s`;
  const units = [
    ['d', dayMs],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const;
  const first = units.findIndex(([, size]) => ms >= size);
  const [name, size] = units[first]!;
  const [nextName, nextSize] = units[first + 1]!;
  const whole = Math.floor(ms / size);
  const rest = Math.round((ms - whole * size) / nextSize);
  if (rest * nextSize >= size) return `${whole + 1}${name}`;
  return rest === 0 ? `${whole}${name}` : `${whole}${name} ${rest}${nextName}`;
}

/** A count or a ratio for a sentence: three significant digits below a hundred, grouped whole numbers above. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return 'infinitely many';
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : `${Number(value.toPrecision(3))}`;
}
