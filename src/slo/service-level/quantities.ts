import { SpeechfbError } from '../../errors.ts';
import { parseDurationMs, parsePercent, parsePerMinute } from '../../units.ts';

const dayMs = 86_400_000;

/** Milliseconds from `30d`, `4w`, or any duration of units.ts. */
export function parsePeriodMs(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([dw])\s*$/.exec(text);
  return match ? Number(match[1]) * (match[2] === 'w' ? 7 * dayMs : dayMs) : parseDurationMs(text);
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

/** Events a minute, above 0, from `20/s`, `1200/min`, `5000/h`. */
export function parseTraffic(text: string): number {
  const perMinute = parsePerMinute(text);
  if (perMinute > 0) return perMinute;
  throw new SpeechfbError('bad_unit', `"${text}" is no traffic: nothing could ever be judged; write a rate above 0`);
}
