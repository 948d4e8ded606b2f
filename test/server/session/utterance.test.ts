import { describe, expect, it } from 'vitest';
import type { Outbox } from '../../../src/server/session/outbox.ts';
import type { PartialResult } from '../../../src/server/session/pending.ts';
import { Utterance } from '../../../src/server/session/utterance.ts';
import { scriptedEngine } from '../../kit/server/scripted.ts';

describe('the window of a feedback, of a model that looks 15 ms behind its hop', () => {
  it.each([
    ['is the frame that brought the sound behind it', 20, 120, 100, 20],
    ['is two frames where one is too short', 10, 120, 100, 20],
    ['is nothing where its own frame brought it', 60, 120, 100, 0],
    ['is a whole frame where that begins with the sound', 60, 360, 300, 60],
    ['is nothing at the end of the sound', 20, 100, 100, 0],
    ['is what there is of it at the end', 10, 110, 100, 10],
  ])('%s: frames of %d ms up to %d, feedback up to %d: %d ms', (_, frameMs, heardMs, audioMs, windowMs) => {
    expect(windowOf(frameMs, heardMs, audioMs)).toBe(windowMs);
  });

  it('counts on the clock of the session', () => {
    expect(windowOf(20, 120, 100, 5000)).toBe(20);
  });
});

function windowOf(frameMs: number, heardMs: number, audioMs: number, startMs = 0): number | undefined {
  const sent: PartialResult[] = [];
  const engine = scriptedEngine();
  Object.assign(engine.model.features, { windowMs: 25, hopMs: 10 });
  let feedback: (audioMs: number) => void = () => expect.unreachable();
  const utterance = new Utterance({
    id: 1,
    speaker: 'a session',
    startMs,
    text: { reference: { words: [] }, release() {} },
    engine,
    settings: { emitIntervalMs: 100, granularity: 'phoneme' },
    outbox: { sendPartial: (partial: PartialResult) => sent.push(partial) } as unknown as Outbox,
    open: (_engine, _reference, _settings, { onFeedback }) => {
      feedback = (ms) => onFeedback?.({ audioMs: ms, phonemes: [], timing: {} });
      return { push() {}, gap() {}, close() {}, finish: () => expect.unreachable() };
    },
    now: () => 0,
    onError: () => expect.unreachable(),
  });
  for (let endMs = frameMs; endMs <= heardMs; endMs += frameMs) {
    utterance.push({ pcm: new Float32Array(), endMs: startMs + endMs, arrivedMs: 0 });
  }
  feedback(audioMs);
  return sent[0]!.message.timing.window;
}
