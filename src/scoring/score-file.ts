import type { AcousticEngine } from '../acoustic/engine/types.ts';
import { createResampler } from '../audio/resampler.ts';
import { readWav } from '../audio/wav.ts';
import type { UtteranceResult } from '../protocol/result.ts';
import type { StageTimings } from '../protocol/stages.ts';
import { openUtterance } from './pipeline.ts';
import type { Reference } from './text/reference.ts';
import type { JudgedPhone } from './utterance.ts';

/** One recording with its result and everything that was measured on it. */
export type ScoredFile = {
  result: UtteranceResult;
  evidence: readonly (readonly JudgedPhone[])[];
  audioMs: number;
  /** What is odd about the sound, a sentence each. */
  notes: readonly string[];
  /** Wall time by stage, ms, from opening the file to the result. */
  timing: StageTimings & { read: number; total: number };
};

/**
 * Feedback interval that the lag of finals is counted on, ms: what `serve` uses when a client does
 * not ask.
 */
const emitIntervalMs = 100;

/**
 * Scores one WAV file of any rate and channel count against a reference, through the same pipeline
 * that runs live.
 *
 * @throws SpeechfbError for audio that cannot be read (see readWav) and for a reference that the
 *   model does not know.
 */
export async function scoreFile(
  engine: AcousticEngine,
  path: string,
  reference: Reference,
  options: { nbest: number },
): Promise<ScoredFile> {
  const begun = performance.now();
  const wav = readWav(path);
  const resampler = createResampler(wav.sampleRateHz, engine.model.sampleRateHz);
  let read = performance.now() - begun;
  let evidence: ScoredFile['evidence'] = [];
  let failure: Error | undefined;
  const utterance = openUtterance(
    engine,
    reference,
    { emitIntervalMs, nbest: options.nbest },
    {
      onEvidence(words) {
        evidence = words;
      },
      onError(error) {
        failure = error;
      },
    },
  );
  for (let at = 0; at < wav.samples.length; at += wav.sampleRateHz) {
    const cut = performance.now();
    const pcm = resampler.push(wav.samples.slice(at, at + wav.sampleRateHz));
    read += performance.now() - cut;
    utterance.push(pcm);
  }
  utterance.push(resampler.flush());
  const { timing, ...result } = await utterance.finish();
  if (failure) throw failure;
  const total = performance.now() - begun;
  return { result, evidence, audioMs: wav.durationMs, notes: wav.notes, timing: { ...timing, read, total } };
}
