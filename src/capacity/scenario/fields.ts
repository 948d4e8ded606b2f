import { text, throughUnit } from '../../config/fields.ts';
import { SpeechfbError } from '../../errors.ts';
import { parseBitsPerSecond, parseDollarsPerMinute, parseHz } from '../../units.ts';

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
