import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AcousticEngine } from '../../../src/acoustic/engine/types.ts';
import { loadModelPackage } from '../../../src/acoustic/model/load-model.ts';
import { createWorkerEngine } from '../../../src/acoustic/worker/worker-engine.ts';
import { toS16le } from '../../../src/audio/pcm.ts';
import { readWav } from '../../../src/audio/wav.ts';
import { liveScoring } from '../../../src/commands/serve/served-engine.ts';
import { ScoringThreads } from '../../../src/scoring/threads/pool.ts';
import type { Scoring } from '../../../src/server/hearing/local-model.ts';

const root = resolve(import.meta.dirname, '../../..');

/** The shipped model and its scoring, each on threads of its own as in `serve`; needs a build. */
export async function openShippedModel(): Promise<{
  engine: AcousticEngine;
  scoring: Scoring;
  close(): Promise<void>;
}> {
  const model = loadModelPackage(join(root, 'models/en-learner'));
  const engine = await createWorkerEngine({ model, device: 'cpu' });
  const threads = new ScoringThreads({ model });
  return {
    engine,
    scoring: liveScoring(threads),
    async close() {
      await engine.close();
      await threads.close();
    },
  };
}

export type Clip = { id: string; text: string; path: string; sampleRateHz: number; samples: Int16Array };

/** A recorded clip of fixtures/audio, as 16-bit samples at its own rate. */
export function readClip(id: string): Clip {
  const lines = readFileSync(join(root, 'fixtures/audio/manifest.jsonl'), 'utf8').trim().split('\n');
  const entry: { id: string; audio: string; text: string } = lines
    .map((line) => JSON.parse(line))
    .find((parsed) => parsed.id === id);
  const path = join(root, 'fixtures/audio', entry.audio);
  const { sampleRateHz, samples } = readWav(path);
  return { id, text: entry.text, path, sampleRateHz, samples: new Int16Array(toS16le(samples).buffer) };
}
