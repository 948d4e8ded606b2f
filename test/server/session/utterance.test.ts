import { describe, expect, it } from 'vitest';
import type { PhonemeResult } from '../../../src/protocol/result.ts';
import { writePhones } from '../../../src/protocol/written-phones.ts';
import type { Progress } from '../../../src/scoring/utterance-scorer.ts';
import type { Outbox } from '../../../src/server/session/outbox.ts';
import type { PartialResult } from '../../../src/server/session/pending.ts';
import { Utterance } from '../../../src/server/session/utterance.ts';
import { phoneResult, phonesOf } from '../../kit/server/phone.ts';
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

describe('what a late server spares', () => {
  it.each([
    [0, ['phoneme_feedback: 0 final 1, 1 provisional 1', 'transcript']],
    [1, ['phoneme_feedback: 0 final 1, 1 provisional 1', 'transcript']],
    [2, ['phoneme_feedback: 0 final 1, 1 provisional 1', 'transcript']],
    [3, ['phoneme_feedback: 0 final 0', 'transcript']],
    [4, ['transcript']],
    [5, ['transcript']],
  ])('at step %d a feedback is %j', (level, expected) => {
    const { utterance, sent, feedback } = open({ level });
    utterance.push({ pcm: new Float32Array(), endMs: 100, arrivedMs: 0, releasedMs: 0 });
    feedback(100, [phoneResult(0, 'final'), phoneResult(1, 'provisional')]);
    const told = ({ message }: PartialResult) =>
      message.type === 'transcript'
        ? 'transcript'
        : `phoneme_feedback: ${phonesOf(message)
            .map(({ index, status, nbest }) => `${index} ${status} ${nbest.length}`)
            .join(', ')}`;
    expect(sent.map(told)).toEqual(expected);
  });

  it.each([
    ['as it is spoken', (endMs: number) => endMs, 40],
    ['late, as it is spoken', (endMs: number) => endMs + 300, 40],
    ['at once after an outage', () => 1000, 0],
  ])('a learner whose sound comes %s has felt the server, and nothing else', (_, arrivedMs, feltMs) => {
    const felt: number[] = [];
    const clock = { nowMs: 0 };
    const { utterance, feedback } = open({ felt: (_atMs, ms) => void felt.push(ms), now: () => clock.nowMs });
    for (let endMs = 20; endMs <= 1000; endMs += 20) {
      clock.nowMs = arrivedMs(endMs);
      utterance.push({ pcm: new Float32Array(), endMs, arrivedMs: clock.nowMs, releasedMs: clock.nowMs });
    }
    clock.nowMs += 40;
    feedback(1000);
    expect(felt).toEqual([feltMs]);
  });

  it('says nothing, and nothing of how late it is, once others go before it', () => {
    const felt: number[] = [];
    const { utterance, feedback, gaveWay, sent } = open({ felt: (_atMs, ms) => void felt.push(ms) });
    utterance.push({ pcm: new Float32Array(), endMs: 200, arrivedMs: 0, releasedMs: 0 });
    feedback(100);
    utterance.giveWay();
    feedback(200);
    expect([felt.length, sent.length, gaveWay()]).toEqual([1, 2, 1]);
  });

  it('counts the sound that is scored, each once and none that was not heard', () => {
    const scored: number[] = [];
    const { utterance, feedback } = open({ startMs: 5000, scored: (_atMs, ms) => void scored.push(ms) });
    utterance.push({ pcm: new Float32Array(), endMs: 5200, arrivedMs: 0, releasedMs: 0 });
    for (const audioMs of [100, 200, 200, 240]) feedback(audioMs);
    expect(scored).toEqual([100, 100, 0, 0]);
  });
});

function windowOf(frameMs: number, heardMs: number, audioMs: number, startMs = 0): number | undefined {
  const { utterance, sent, feedback } = open({ startMs });
  for (let endMs = frameMs; endMs <= heardMs; endMs += frameMs) {
    utterance.push({ pcm: new Float32Array(), endMs: startMs + endMs, arrivedMs: 0, releasedMs: 0 });
  }
  feedback(audioMs);
  return sent[0]!.message.timing.window;
}

const nothing = (_atMs: number, _ms: number): void => {};

function open({ startMs = 0, level = 0, felt = nothing, scored = nothing, now = () => 0 }) {
  const sent: PartialResult[] = [];
  const engine = scriptedEngine();
  Object.assign(engine.model.features, { windowMs: 25, hopMs: 10 });
  let feedback: (audioMs: number, phonemes: PhonemeResult[]) => void = () => expect.unreachable();
  let gaveWay = 0;
  const utterance = new Utterance({
    id: 1,
    speaker: 'a session',
    canWait: false,
    startMs,
    text: { input: { text: 'a' }, reference: { words: [] }, release() {} },
    engine,
    settings: { emitIntervalMs: 100, granularity: 'phoneme' },
    outbox: { sendPartial: (partial: PartialResult) => sent.push(partial) } as unknown as Outbox,
    open: (_engine, _reference, _settings, { onFeedback }) => {
      feedback = (ms, phonemes) => onFeedback?.({ audioMs: ms, phones: writePhones(phonemes), timing: {}, progress });
      const giveWay = () => void gaveWay++;
      return { push() {}, gap() {}, close() {}, giveWay, finish: () => expect.unreachable() };
    },
    overload: { level, felt, scored },
    now,
    onError: () => expect.unreachable(),
  });
  return {
    utterance,
    sent,
    gaveWay: () => gaveWay,
    feedback: (audioMs: number, phonemes: PhonemeResult[] = []) => feedback(audioMs, phonemes),
  };
}

const progress = { words: [], deviations: [] } as unknown as Progress;
