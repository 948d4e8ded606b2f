import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toS16le } from '../../../src/audio/pcm.ts';
import { createResampler } from '../../../src/audio/resampler.ts';
import { readWav } from '../../../src/audio/wav.ts';

/** A word of a clip, and where in the clip its sound ends. */
type ScriptedWord = { text: string; endMs: number };

/** What is said in a clip, and how long the clip is. */
export type Script = { words: readonly ScriptedWord[]; lengthMs: number };

/**
 * The script of an utterance of which only the opening was heard yet, 16-bit samples at `rateHz`; undefined: more must be
 * heard to tell.
 */
export type FindScript = (opening: Int16Array, rateHz: number) => Script | undefined;

/** Everybody says the same, whatever the sound. */
export function everybodySays(
  words: readonly (readonly [text: string, endMs: number])[],
  lengthMs: number,
): FindScript {
  const script = { words: words.map(([text, endMs]) => ({ text, endMs })), lengthMs };
  return () => script;
}

/**
 * Knows clips by their sound: by the hash of their first 300 ms, at the clip's own rate and at each of `ratesHz` as this
 * program's resampler makes it.
 */
export class ClipBook {
  readonly #ratesHz: readonly number[];
  readonly #scripts = new Map<string, Script>();

  constructor(ratesHz: readonly number[] = [16_000, 24_000]) {
    this.#ratesHz = ratesHz;
  }

  /** @param samples in [-1, 1). */
  add(samples: Float32Array, rateHz: number, words: Script['words']): void {
    const script = { words, lengthMs: (samples.length / rateHz) * 1000 };
    for (const otherHz of new Set([rateHz, ...this.#ratesHz])) {
      const resampled = otherHz === rateHz ? samples : createResampler(rateHz, otherHz).push(samples);
      this.#scripts.set(keyOf(new Int16Array(toS16le(resampled).buffer), otherHz), script);
    }
  }

  /** Adds the clips of a manifest whose words have times, all or those named. */
  addManifest(path: string, ids?: readonly string[]): this {
    for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
      const { id, audio, words }: { id: string; audio: string; words?: { text: string; end_ms: number }[] } =
        JSON.parse(line);
      if (!words || (ids && !ids.includes(id))) continue;
      const { samples, sampleRateHz } = readWav(join(dirname(path), audio));
      this.add(
        samples,
        sampleRateHz,
        words.map(({ text, end_ms }) => ({ text, endMs: end_ms })),
      );
    }
    return this;
  }

  /** Bound, so that it can be handed over as it is. */
  readonly find: FindScript = (opening, rateHz) => {
    if (opening.length < openingSamples(rateHz)) return undefined;
    return this.#scripts.get(keyOf(opening, rateHz)) ?? nobodyKnows;
  };
}

/** Sound that is in no book: the vendor understands nothing of it. */
const nobodyKnows: Script = { words: [], lengthMs: Number.POSITIVE_INFINITY };
const openingMs = 300;

function openingSamples(rateHz: number): number {
  return (openingMs * rateHz) / 1000;
}

function keyOf(samples: Int16Array, rateHz: number): string {
  const opening = samples.subarray(0, openingSamples(rateHz));
  const bytes = Buffer.from(opening.buffer, opening.byteOffset, opening.byteLength);
  return `${rateHz} ${createHash('sha256').update(bytes).digest('hex')}`;
}
