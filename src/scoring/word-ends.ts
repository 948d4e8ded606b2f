import type { AcousticEngine } from '../acoustic/engine/types.ts';
import { fromS16le } from '../audio/pcm.ts';
import { createResampler } from '../audio/resampler.ts';
import { openUtterance } from './pipeline.ts';
import { resolveReference } from './text/reference.ts';

/** A recording of somebody who reads a text. */
export type ReadAloud = { text: string /** pcm_s16le, mono. */; pcm: Uint8Array; sampleRateHz: number };

/**
 * A word of the text, and where its sound ends in the recording, ms; undefined for a word that was
 * not read.
 */
export type WordEnd = { text: string; endMs: number | undefined };

/**
 * Where each word of the text ends in the recording, by the same alignment that scores it.
 *
 * @throws SpeechfbError `invalid_reference` for a text that cannot be read in English.
 */
export async function alignWords(engine: AcousticEngine, { text, pcm, sampleRateHz }: ReadAloud): Promise<WordEnd[]> {
  const resampler = createResampler(sampleRateHz, engine.model.sampleRateHz);
  let failure: Error | undefined;
  const onError = (error: Error) => {
    failure = error;
  };
  const utterance = openUtterance(engine, resolveReference({ text }), { emitIntervalMs: 1000, nbest: 0 }, { onError });
  utterance.push(resampler.push(fromS16le(pcm)));
  utterance.push(resampler.flush());
  const { words } = await utterance.finish();
  if (failure) throw failure;
  return words.map(({ text, end_ms, error_type }) => ({
    text,
    endMs: error_type === 'omission' ? undefined : end_ms,
  }));
}
