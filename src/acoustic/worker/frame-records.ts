import type { MailRecord, ThreadLink } from '../../threads/thread-link.ts';
import type { AcousticFrames } from '../engine/types.ts';

/**
 * Writes frames of the stream or utterance `id` as one record of `kind`. `sentMs`: when that was,
 * on the shared clock.
 */
export function writeFrames(link: ThreadLink, kind: number, id: number, frames: AcousticFrames, sentMs: number): void {
  const { firstFrame, count, logPosterior, scoreLogit, timing } = frames;
  const scores = scoreLogit?.length ?? noScores;
  const at = link.begin(kind, headBytes + 4 * (logPosterior.length + Math.max(0, scores)));
  const { float64, float32 } = link.memory;
  const head = at / 8;
  float64[head] = id;
  float64[head + 1] = firstFrame;
  float64[head + 2] = count;
  float64[head + 3] = timing.queueMs;
  float64[head + 4] = timing.featuresMs;
  float64[head + 5] = timing.inferenceMs;
  float64[head + 6] = logPosterior.length;
  float64[head + 7] = scores;
  float64[head + 8] = sentMs;
  const values = (at + headBytes) / 4;
  float32.set(logPosterior, values);
  if (scoreLogit) float32.set(scoreLogit, values + logPosterior.length);
  link.commit();
}

/** What `writeFrames` wrote; the frames are views that hold as long as the record does. */
export function readFrames({ at, memory: { float64, float32 } }: MailRecord): FrameRecord {
  const head = at / 8;
  const values = (at + headBytes) / 4;
  const posteriors = values + float64[head + 6]!;
  const scores = float64[head + 7]!;
  return {
    id: float64[head]!,
    sentMs: float64[head + 8]!,
    frames: {
      firstFrame: float64[head + 1]!,
      count: float64[head + 2]!,
      logPosterior: float32.subarray(values, posteriors),
      scoreLogit: scores === noScores ? undefined : float32.subarray(posteriors, posteriors + scores),
      timing: { queueMs: float64[head + 3]!, featuresMs: float64[head + 4]!, inferenceMs: float64[head + 5]! },
    },
  };
}

export type FrameRecord = { id: number; sentMs: number; frames: AcousticFrames };

const headBytes = 9 * 8;
/** The count of scores of a model without a score head. */
const noScores = -1;
