import type { AcousticEngine } from '../acoustic/engine/types.ts';
import { openUtterance } from './pipeline.ts';
import { resolveReference } from './text/reference.ts';

/** Enough for the compiler to have seen every loop, ms of sound. */
const soundMs = 3000;

/**
 * Sends a few seconds of a buzz through the whole pipeline, so that what is timed afterwards is the
 * steady cost: the first utterance of a process otherwise pays for compiling the code and for the
 * model's first run.
 */
export async function warmUp(engine: AcousticEngine): Promise<void> {
  const { sampleRateHz } = engine.model;
  const failure: { error?: Error } = {};
  const utterance = openUtterance(
    engine,
    resolveReference({ text: 'The quick brown fox jumps over the lazy dog' }),
    { emitIntervalMs: 100 },
    {
      onError(error) {
        failure.error = error;
      },
    },
  );
  const samples = Math.round((soundMs / 1000) * sampleRateHz);
  // A 120 Hz buzz under a slow swell: loud and quiet frames, so that the aligner has something to
  // do.
  utterance.push(
    Float32Array.from({ length: samples }, (_, i) => {
      const seconds = i / sampleRateHz;
      return 0.3 * Math.sin(4 * seconds) * (((120 * seconds) % 1) - 0.5);
    }),
  );
  await utterance.finish();
  if (failure.error) throw failure.error;
}
