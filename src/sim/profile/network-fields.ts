import { z } from 'zod';
import { amount, duration, integer, oneOf, section, shown, text, throughUnit } from '../../config/fields.ts';
import { SpeechfbError } from '../../errors.ts';
import { parseBitsPerSecond, parseDurationMs, parsePercent } from '../../units.ts';
import type { Schedule } from './profile.ts';

const minuteMs = 60_000;
export const dayMs = 24 * 60 * minuteMs;
const distributions = ['uniform', 'normal', 'pareto', 'paretonormal'] as const;

/** A duration as whole microseconds. */
export function timeUs(minMs: number, maxMs: number) {
  return duration(minMs, maxMs).transform(toUs);
}

/** One way. */
export function delay() {
  return timeUs(0, minuteMs);
}

/** `30%`, or 0.3 as in the papers. */
export function share() {
  return z.union([amount('a share', 0, 1), text('a share').transform(throughUnit(parseShare))], {
    error: (issue) => `${shown(issue.input)} is not a share; write 30% or 0.3`,
  });
}

/** `10ms`, uniform; or with a distribution, and a correlation of each draw with the one before. */
export function jitter() {
  const value = timeUs(0, minuteMs);
  const full = section({
    value,
    distribution: oneOf(distributions).default('uniform'),
    correlation: share().default(0),
  });
  return z.union(
    [
      value.transform((valueUs) => ({ valueUs, distribution: 'uniform' as const, correlation: 0 })),
      full.transform(({ value: valueUs, ...rest }) => ({ valueUs, ...rest })),
    ],
    { error: (issue) => `${shown(issue.input)} is not a jitter; write 10ms or {value: 10ms, distribution: normal}` },
  );
}

/** Bits per second; `unlimited` takes away what the base has. */
export function rate() {
  return text('a rate such as 5mbit, or unlimited').transform(
    throughUnit((given): number | 'unlimited' => {
      if (given.trim() === 'unlimited') return 'unlimited';
      const bits = parseBitsPerSecond(given);
      if (bits === 0) throw new SpeechfbError('bad_unit', `"${given}" never delivers anything; allowed: above 0`);
      return bits;
    }),
  );
}

/** Packets that wait for the link. */
export function queue() {
  const packets = integer(1, 1_000_000);
  return z.union([packets, section({ packets }).transform((value) => value.packets)], {
    error: (issue) => `${shown(issue.input)} is not a queue; write a number of packets, or {packets: 100}`,
  });
}

/** Keys that say when: `at: 120s`, or `every: 45s±15s`. */
export const scheduleKeys = {
  at: timeUs(0, dayMs).optional(),
  every: text('a period such as 45s±15s').transform(throughUnit(parsePeriod)).optional(),
};

/** The schedule that the two keys describe, or undefined when they are not exactly one. */
export function scheduleOf(keys: { at?: number | undefined; every?: Schedule | undefined }): Schedule | undefined {
  if (keys.at !== undefined && keys.every !== undefined) return undefined;
  return keys.at === undefined ? keys.every : { atUs: keys.at };
}

/** `500ms..8s` as the first and the longest wait. */
export function parseBackoff(given: string): { first: number; most: number } {
  const match = /^(.+?)\.\.(.+)$/.exec(given);
  if (!match) throw new SpeechfbError('bad_unit', `"${given}" is not a backoff; write it as 500ms..8s`);
  const [first, most] = [toUs(parseDurationMs(match[1]!)), toUs(parseDurationMs(match[2]!))];
  if (first > most) throw new SpeechfbError('bad_unit', `backoff "${given}" ends below its beginning`);
  return { first, most };
}

function parsePeriod(given: string): Schedule {
  const [period, spread = '0', ...rest] = given.split(/±|\+\/?-/);
  const everyUs = toUs(parseDurationMs(period!));
  const spreadUs = toUs(parseDurationMs(spread));
  if (rest.length > 0 || everyUs < 1000)
    throw new SpeechfbError('bad_unit', `"${given}" is not a period; write it as 45s or 45s±15s, at least 1ms`);
  if (spreadUs > everyUs)
    throw new SpeechfbError('bad_unit', `the spread of "${given}" is larger than the period itself`);
  return { everyUs, spreadUs };
}

function parseShare(given: string): number {
  const value = parsePercent(given);
  if (value > 1) throw new SpeechfbError('bad_unit', `"${given}" is more than 100%`);
  return value;
}

function toUs(ms: number): number {
  return Math.round(ms * 1000);
}
