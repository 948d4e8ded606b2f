import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { toS16le } from '../../audio/pcm.ts';
import { readWav } from '../../audio/wav.ts';
import { lineProblems, parseJsonLine } from '../../config/json-lines.ts';
import { readText } from '../../config/read-chunks.ts';
import { firstProblems, type Problem, SpeechfbError } from '../../errors.ts';
import { sampleRatesHz } from '../../protocol/client-messages.ts';
import { readClipWords } from '../../scoring/clip-words.ts';
import type { WordEnd } from '../../scoring/word-ends.ts';

/** One recording that learners read: PCM as it goes over the wire. */
export type Clip = {
  id: string;
  text: string;
  /** BCP 47, as `en-US`. */
  language: string;
  sampleRateHz: number;
  durationMs: number;
  /** pcm_s16le, mono. */
  pcm: Uint8Array;
  /** Where the speech begins, ms. */
  speechBeginMs: number;
  /**
   * The words that are read, as a server counts them, and where each ends; absent where nobody
   * knows.
   */
  words?: readonly WordEnd[];
};

/**
 * The clips of a manifest (JSON Lines of {id, audio, text, language?, words?}, audio relative to
 * the manifest). `language` is of lines that name none. Lines without a text, such as silence, and
 * those that a server would refuse are left out; every bad line is reported at once as
 * `bad_manifest`.
 */
export function readClips(manifest: string, language = 'en-US'): Clip[] {
  const problems: Problem[] = [];
  const clips = linesOf(manifest).flatMap(({ line, text }) => {
    try {
      const entry = parseEntry(text);
      return entry.text.trim() === '' || entry.kind === 'edge' ? [] : [readClip(manifest, entry, language)];
    } catch (error) {
      if (!(error instanceof SpeechfbError)) throw error;
      problems.push(...lineProblems(error, `${manifest}:${line}`, text));
      return [];
    }
  });
  if (problems.length > 0) {
    throw new SpeechfbError('bad_manifest', `${manifest} has bad lines`, {
      problems: firstProblems(problems, ' lines'),
    });
  }
  if (clips.length === 0) throw new SpeechfbError('bad_manifest', `${manifest} has no clip with a text`);
  return clips;
}

/** The start of the first 20 ms within 30 dB of the loudest 20 ms, ms; 0 for silence. */
export function speechBegin(samples: Float32Array, sampleRateHz: number): number {
  const window = Math.round(sampleRateHz * 0.02);
  const energies = Array.from({ length: Math.floor(samples.length / window) }, (_, i) => {
    let energy = 0;
    for (let j = i * window; j < (i + 1) * window; j++) energy += samples[j]! ** 2;
    return energy;
  });
  const loudest = energies.reduce((most, energy) => Math.max(most, energy), 0);
  return (
    Math.max(
      0,
      energies.findIndex((energy) => energy >= loudest / 1000),
    ) * 20
  );
}

const entrySchema = z.object({
  id: z.string().min(1),
  audio: z.string().min(1),
  text: z.string(),
  language: z.string().min(2).max(20).optional(),
  kind: z.string().optional(),
  words: z.unknown().optional(),
});
type Entry = z.infer<typeof entrySchema>;

function readClip(manifest: string, entry: Entry, language: string): Clip {
  const { samples, sampleRateHz, durationMs } = readWav(resolve(dirname(manifest), entry.audio), {
    ratesHz: sampleRatesHz,
  });
  const { id, text } = entry;
  const words = readClipWords(entry.words, durationMs);
  return {
    id,
    text,
    language: entry.language ?? language,
    sampleRateHz,
    durationMs,
    pcm: toS16le(samples),
    speechBeginMs: speechBegin(samples, sampleRateHz),
    ...(words && { words }),
  };
}

function parseEntry(text: string): Entry {
  const parsed = parseJsonLine(text, entrySchema);
  if ('problem' in parsed) throw new SpeechfbError('bad_manifest', `${parsed.problem}; needed: id, audio, text`);
  return parsed.value;
}

function linesOf(manifest: string): { line: number; text: string }[] {
  const lines = readText(manifest, 'clip manifest').split(/\r\n|\n|\r/);
  return lines.map((text, index) => ({ line: index + 1, text })).filter(({ text }) => text.trim() !== '');
}
