import { z } from 'zod';
import { text, throughUnit } from '../config/fields.ts';
import { SpeechfbError } from '../errors.ts';
import { parseBitsPerSecond, parseDollarsPerMinute, parseHz, parsePercent } from '../units.ts';

/** `40%` as .4, within [min, max]. */
export function percent(min = 0, max = 1) {
  return text('a percentage such as 40%')
    .transform(throughUnit(parsePercent))
    .refine((share) => share >= min && share <= max, {
      error: (issue) =>
        `${number((issue.input as number) * 100)}% is outside ${number(min * 100)}% to ${number(max * 100)}%`,
    });
}

/** `$1.20/h` as dollars an hour of a pod. */
export function pricePerHour() {
  return text('a price such as $2.00/h').transform(throughUnit((given) => parseDollarsPerMinute(given) * 60));
}

/** `$0.02/min` or `$1.20/h` as dollars a minute of audio. */
export function pricePerMinute() {
  return text('a price such as $0.02/min').transform(throughUnit(parseDollarsPerMinute));
}

export function sampleRate() {
  return text('a sample rate such as 16kHz')
    .transform(throughUnit(parseHz))
    .refine((hz) => hz >= 8000 && hz <= 48_000, { error: (issue) => `${issue.input} Hz is outside 8kHz to 48kHz` });
}

export function bitRate() {
  return text('a bit rate such as 20kbit')
    .transform(throughUnit(parseBitsPerSecond))
    .refine((bits) => bits >= 5000 && bits <= 512_000, {
      error: (issue) => `${issue.input} bit/s is outside 5kbit to 512kbit`,
    });
}

/** A plain number within [min, max]. */
export function amount(what: string, min: number, max: number) {
  const error = (issue: { input?: unknown }) => `${shown(issue.input)} is not ${what} from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

/** One of some words. */
export function oneOf<const W extends readonly string[]>(words: W) {
  return z.enum(words, { error: (issue) => `${shown(issue.input)} is not allowed; allowed: ${words.join(', ')}` });
}

/** `2026-11-01`, a day that exists. */
export function day() {
  return text('a day such as 2026-11-01').transform(throughUnit(parseDay));
}

function parseDay(given: string): string {
  const date = new Date(`${given}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(given) || Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== given)
    throw new SpeechfbError('bad_config', `"${given}" is not a day; write it as 2026-11-01, in quotes or not`);
  return given;
}

function shown(value: unknown): string {
  return value === undefined ? 'is missing:' : (JSON.stringify(value) ?? String(value));
}

function number(value: number): string {
  return `${Number(value.toPrecision(12))}`;
}
