import type { UtteranceResult } from '../protocol/result.ts';

/**
 * A silence inside the reading this long or longer is a pause; shorter ones belong to speech
 * (closures, joins).
 */
const shortestPauseMs = 200;
/** Phones a second, pauses included, of a fluent reading, and of one that scores 0. */
const fluentRate = 11;
const haltingRate = 2;

export type ReadStretch = { startMs: number; endMs: number };

/**
 * Pace of a reading from its first phone to its last.
 *
 * @param phones The phones that were heard.
 * @param silences Silences of the whole utterance.
 * @param words How many words were read.
 */
export function measurePace(
  phones: readonly ReadStretch[],
  silences: readonly ReadStretch[],
  words: number,
): UtteranceResult['pace'] & { phones_per_second: number | null } {
  const start = Math.min(...phones.map((phone) => phone.startMs));
  const end = Math.max(...phones.map((phone) => phone.endMs));
  const lengths = silences
    .filter((silence) => silence.startMs >= start && silence.endMs <= end)
    .map((silence) => silence.endMs - silence.startMs)
    .filter((length) => length >= shortestPauseMs);
  const pauseMs = lengths.reduce((total, length) => total + length, 0);
  const spanMs = phones.length === 0 ? 0 : end - start;
  return {
    words_per_minute: spanMs > 0 ? (words / spanMs) * 60_000 : null,
    phones_per_second: spanMs > 0 ? (phones.length / spanMs) * 1000 : null,
    speech_ms: spanMs - pauseMs,
    pause_ms: pauseMs,
    longest_pause_ms: Math.max(0, ...lengths),
    pauses: lengths.length,
  };
}

/**
 * 0-100 from the rate of speech: phones a second over the whole reading, its pauses included. That
 * one measure explains most of what listeners call fluent in read speech (Cucchiarini, Strik and
 * Boves, JASA 107(2), 2000); it falls with slow sounds, with many pauses and with long ones alike.
 */
export function fluencyScore(phonesPerSecond: number | null): number | null {
  if (phonesPerSecond === null) return null;
  return 100 * Math.min(1, Math.max(0, (phonesPerSecond - haltingRate) / (fluentRate - haltingRate)));
}
