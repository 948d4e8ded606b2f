import { describe, expect, it } from 'vitest';
import type { UtteranceResult, WordResult } from '../../../src/protocol/result.ts';
import { shiftResult } from '../../../src/protocol/shift-result.ts';
import { AckSchedule } from '../../../src/server/session/ack-schedule.ts';
import { Arrivals } from '../../../src/server/session/arrivals.ts';
import { SpeechWatch } from '../../../src/server/session/speech-watch.ts';
import { Transcript } from '../../../src/server/session/transcript.ts';

describe('acknowledgements', () => {
  it('are sent when something came, at most once an interval', () => {
    const acks = new AckSchedule(200);
    expect(acks.due(0, 'timely')).toBe(false);
    acks.frame();
    expect(acks.due(0, 'timely')).toBe(true);
    acks.frame();
    expect([199, 200, 500].map((atMs) => acks.due(atMs, 'timely'))).toEqual([false, true, false]);
  });

  it('ride with another event when they are nearly due', () => {
    const acks = new AckSchedule(200);
    acks.due(0, 'at once');
    acks.frame();
    expect([149, 150].map((atMs) => acks.due(atMs, 'riding'))).toEqual([false, true]);
  });
});

describe('arrivals', () => {
  it('name the frame that brought a sound', () => {
    const arrivals = new Arrivals();
    expect(arrivals.of(0)).toBeUndefined();
    const frames = [20, 40, 60].map((endMs) => ({ endMs, arrivedMs: endMs + 5, releasedMs: endMs + 6 }));
    for (const frame of frames) arrivals.add(frame);
    expect([20, 39, 40.4, 60, 100].map((atMs) => arrivals.of(atMs)!.endMs)).toEqual([20, 40, 40, 60, 60]);
  });
});

describe('the transcript', () => {
  const word = (wordIndex: number, isFinal: boolean) => ({
    wordIndex,
    text: `w${wordIndex}`,
    startMs: 0,
    endMs: 9,
    isFinal,
  });
  const skipped = { kind: 'skipped', first_word: 1, last_word: 1, start_ms: 5, end_ms: 5 } as const;

  it('has a revision for each progress, on the clock of the session', () => {
    const transcript = new Transcript(3, 1000);
    const revise = (words: ReturnType<typeof word>[]) => transcript.revise({ words, deviations: [] }, {});
    expect(revise([word(0, false)])).toMatchObject({ utterance_id: 3, rev: 1, text: 'w0', stability: 0 });
    expect(revise([word(0, true), word(1, false)])).toMatchObject({ rev: 2, text: 'w0 w1', stability: 0.5 });
    expect(revise([word(0, true), word(1, true)]).words[0]).toMatchObject({ start_ms: 1000, end_ms: 1009 });
  });

  it('is revised when the reading leaves the text', () => {
    const transcript = new Transcript(1, 1000);
    const words = [word(0, true)];
    transcript.revise({ words, deviations: [] }, {});
    const revised = transcript.revise({ words, deviations: [skipped] }, {});
    expect(revised!.deviations).toEqual([{ ...skipped, start_ms: 1005, end_ms: 1005 }]);
  });

  it('ends with the words that were read', () => {
    const words = ['none', 'omission', 'substitution'].map(
      (error_type, index) => ({ text: `w${index}`, start_ms: 0, end_ms: 9, error_type }) as WordResult,
    );
    const last = new Transcript(1, 0).final({ words, deviations: [skipped] }, {});
    expect(last).toMatchObject({ text: 'w0 w2', is_final: true, stability: 1, deviations: [skipped] });
    expect(last.words.map((read) => read.word_index)).toEqual([0, 2]);
  });
});

describe('a result of a later utterance', () => {
  it('is put on the clock of the session, scores untouched', () => {
    const span = { start_ms: 10, end_ms: 20 };
    const result = { words: [{ ...span, phonemes: [span] }], deviations: [span], scores: { accuracy: 5 } };
    expect(shiftResult(result as unknown as UtteranceResult, 1000)).toEqual({
      words: [{ start_ms: 1010, end_ms: 1020, phonemes: [{ start_ms: 1010, end_ms: 1020 }] }],
      deviations: [{ start_ms: 1010, end_ms: 1020 }],
      scores: { accuracy: 5 },
    });
  });
});

describe('the speech watch', () => {
  it('counts lost time', () => {
    const heard: [string, number][] = [];
    const watch = new SpeechWatch(16_000, (state, atMs) => heard.push([state, atMs]));
    const silence = () => new Float32Array(16_000).map((_, i) => 0.0005 * Math.sin(i * i));
    const tone = () => new Float32Array(16_000).map((_, i) => 0.3 * Math.sin(i * 0.3));
    watch.push(silence());
    watch.gap(500);
    watch.push(tone());
    watch.push(silence());
    expect(heard.map(([state, atMs]) => [state, Math.round(atMs / 50) * 50])).toEqual([
      ['began', 1500],
      ['ended', 2500],
    ]);
  });
});
