import { parentPort, workerData } from 'node:worker_threads';
import type { AcousticFrames } from '../../acoustic/engine/types.ts';
import { unpackResults } from '../../acoustic/worker/worker-messages.ts';
import { collectGarbage } from '../../threads/memory.ts';
import { toPlainError } from '../../threads/plain-error.ts';
import { sharedNowMs } from '../../threads/shared-clock.ts';
import { calibratorOf, UtteranceScorer } from '../utterance-scorer.ts';
import type { FromScoring, ScoringStart, ToScoring } from './messages.ts';

/** A thread that scores utterances: the model's frames in, feedback and results out. */
const port = parentPort!;
const { model }: ScoringStart = workerData;
/** What the first learners in a batch get does not wait for the last of them. */
const speakEveryMs = 2;

const scorers = new Map<number, UtteranceScorer>();
let begunMs = 0;
let saying = silence(0);

calibratorOf(model);
port.on('message', (message: ToScoring) => {
  if (message === 'tidy') {
    collectGarbage();
    return;
  }
  const { opened, gaps, frames, finished, closed, sentMs } = message;
  begunMs = performance.now();
  saying = silence(sentMs);
  const waitedMs = sharedNowMs() - sentMs;
  for (const { id, reference, options } of opened) {
    guard(id, () => {
      scorers.set(id, new UtteranceScorer(model, reference, options, { onFeedback: (feedback) => note(id, feedback) }));
    });
  }
  for (const { id, startFrame, endFrame } of gaps) scorers.get(id)?.markGap(startFrame, endFrame);
  if (frames) unpackResults(frames, (id, of) => guard(id, () => scorers.get(id)?.take(later(of, waitedMs))));
  for (const { id, pushedMs } of finished) {
    guard(id, () => {
      const result = scorers.get(id)?.finish(pushedMs);
      if (result) saying.results.push({ id, result });
    });
    scorers.delete(id);
  }
  for (const id of closed) scorers.delete(id);
  speak();
});

function note(id: number, feedback: FromScoring['feedback'][number]['feedback']): void {
  saying.feedback.push({ id, feedback });
  if (performance.now() - begunMs > speakEveryMs) speak();
}

function speak(): void {
  const nowMs = performance.now();
  port.postMessage({ ...saying, saidMs: sharedNowMs(), busyMs: nowMs - begunMs });
  begunMs = nowMs;
  saying = silence(saying.sentMs);
}

/** An utterance that fails must not stop the others. */
function guard(id: number, act: () => void): void {
  try {
    act();
  } catch (error) {
    scorers.delete(id);
    saying.failed.push({ id, error: toPlainError(error) });
  }
}

/** The frames with the time that they waited for this thread. */
function later(frames: AcousticFrames, waitedMs: number): AcousticFrames {
  return { ...frames, timing: { ...frames.timing, queueMs: frames.timing.queueMs + waitedMs } };
}

function silence(sentMs: number): FromScoring {
  return { feedback: [], results: [], failed: [], saidMs: 0, sentMs, busyMs: 0 };
}
