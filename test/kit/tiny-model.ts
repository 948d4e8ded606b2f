import type { AcousticEngine, AcousticFrames } from '../../src/acoustic/engine/types.ts';
import { loadModelPackage } from '../../src/acoustic/model/load-model.ts';

/** A package unlike the shipped one in every way; golden/tiny-model.py says how. */
export const tinyFolder = `${import.meta.dirname}/golden/tiny`;
export const tiny = loadModelPackage(tinyFolder);

/** Sound that no two stretches of are alike: a sweep with noise, [-1, 1), seeded. */
export function testSound(length: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 0.3 * Math.sin(i * (0.02 + 0.00002 * (i % 9000)) + seed) + 0.05 * (state / 2 ** 31 - 1);
  });
}

export type Heard = { frames: number; logPosterior: number[]; scoreLogit: number[]; deliveries: AcousticFrames[] };

/** Plays `pcm` in chunks of the given sizes, the last repeated, to one stream of the engine and waits for its end. */
export async function hear(engine: AcousticEngine, pcm: Float32Array, sizes: readonly number[]): Promise<Heard> {
  const heard: Heard = { frames: 0, logPosterior: [], scoreLogit: [], deliveries: [] };
  await new Promise<void>((resolve, reject) => {
    const stream = engine.open((frames) => {
      if (frames.firstFrame !== heard.frames) {
        reject(new Error(`frame ${frames.firstFrame} came when ${heard.frames} was due`));
      }
      heard.frames += frames.count;
      heard.logPosterior.push(...frames.logPosterior);
      heard.scoreLogit.push(...(frames.scoreLogit ?? []));
      heard.deliveries.push(frames);
    }, reject);
    for (let at = 0, i = 0; at < pcm.length; i++) {
      const size = sizes[Math.min(i, sizes.length - 1)]!;
      stream.push(pcm.slice(at, at + size));
      at += size;
    }
    stream.end().then(resolve, reject);
  });
  return heard;
}

/** The largest difference of two lists of one length. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}
