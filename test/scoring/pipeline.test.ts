import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openUtterance } from '../../src/scoring/pipeline.ts';
import { resolveReference } from '../../src/scoring/text/reference.ts';
import type { Feedback } from '../../src/scoring/utterance-scorer.ts';
import { phonesOf } from '../kit/server/phone.ts';
import { framesOf, read, scriptedEngine, utter } from '../kit/speech.ts';

const text = 'the number you have dialed';
const heard = utter('SIL 12', read('the number you', 5), 'SIL 15', read('have dialed', 6), 'SIL 20');
const samplesPerFrame = 320;

/** Speaks `heard` through a scripted engine in pieces of the given sizes (samples). */
async function speak(pieces: readonly number[], options: { gapAt?: number; gapMs?: number; cutEvery?: number } = {}) {
  const feedback: Feedback[] = [];
  const pipeline = openUtterance(
    scriptedEngine(framesOf(heard, 0.85), options.cutEvery),
    resolveReference({ text }),
    { emitIntervalMs: 100 },
    {
      onFeedback: (event) => feedback.push(event),
      onError: (error) => {
        throw error;
      },
    },
  );
  const total = heard.length * samplesPerFrame;
  let { gapAt = Number.POSITIVE_INFINITY } = options;
  let at = 0;
  for (let i = 0; at < total; i++) {
    if (at >= gapAt * samplesPerFrame) {
      pipeline.gap(options.gapMs!);
      at += (options.gapMs! / 20) * samplesPerFrame;
      gapAt = Number.POSITIVE_INFINITY;
      continue;
    }
    const count = Math.min(pieces[i % pieces.length]!, total - at);
    pipeline.push(new Float32Array(count));
    at += count;
  }
  const { timing, ...result } = await pipeline.finish();
  return { result, feedback, timing };
}

describe('the pipeline', () => {
  it('gives the same result however the audio and the frames are cut', async () => {
    const whole = await speak([1_000_000]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 50 }),
        async (pieces, cutEvery) => {
          const { result } = await speak(pieces, { cutEvery });
          expect(result).toEqual(whole.result);
        },
      ),
      { numRuns: 40, seed: 3 },
    );
  });

  it('gives feedback each 100 ms of audio, every phone final at most once and all the same at the end', async () => {
    const { result, feedback } = await speak([320]);
    for (const [i, event] of feedback.entries()) {
      expect(event.audioMs).toBe((i + 1) * 100);
      expect(Object.keys(event.timing).sort()).toEqual(['asr', 'features', 'queue', 'scoring']);
    }
    const finals = feedback.flatMap(phonesOf).filter((phone) => phone.status === 'final');
    expect(new Set(finals.map((phone) => phone.index)).size).toBe(finals.length);
    const published = result.words.flatMap((word) => word.phonemes);
    for (const phone of finals) expect(published).toContainEqual(phone);
    expect(finals.length).toBeGreaterThan(published.length - 3);
  });

  it('shows a phone provisionally before it is final, and the words as they are confirmed', async () => {
    const { feedback } = await speak([320]);
    const first = (status: string) =>
      feedback.findIndex((event) => phonesOf(event).some((phone) => phone.index === 5 && phone.status === status));
    expect(first('provisional')).toBeGreaterThanOrEqual(0);
    expect(first('provisional')).toBeLessThanOrEqual(first('final'));
    const words = feedback
      .findLast(({ progress }) => progress)!
      .progress!.words.map((word) => `${word.text} ${word.isFinal}`);
    expect(words).toEqual(['the true', 'number true', 'you true', 'have true', 'dialed true']);
  });

  it('has every phone final within 300 ms of its end', async () => {
    const { result } = await speak([320]);
    expect(result.final_lag_ms.p95).toBeLessThanOrEqual(300);
    expect(result.final_lag_ms.p50).toBeGreaterThanOrEqual(100);
  });

  it('measures the pace and scores the whole', async () => {
    const { result } = await speak([1600]);
    expect(result.pace).toEqual({
      words_per_minute: expect.closeTo(5 / ((108 * 20) / 60_000), 6),
      speech_ms: 93 * 20,
      pause_ms: 300,
      longest_pause_ms: 300,
      pauses: 1,
    });
    expect(result.scores.completeness).toBe(100);
    expect(result.scores.accuracy).toBeGreaterThan(80);
    expect(result.deviations).toEqual([]);
  });

  it('leaves phones over lost audio unscored, and out of every score', async () => {
    const { result } = await speak([320], { gapAt: 22, gapMs: 500 });
    const phones = result.words.flatMap((word) => word.phonemes);
    const lost = phones.filter((phone) => phone.error_type === 'unscored');
    expect(lost.length).toBeGreaterThan(2);
    for (const phone of lost) {
      expect(phone).toMatchObject({ gop: null, accuracy: null, confidence: 0, nbest: [] });
    }
    expect(phones.filter((phone) => phone.error_type === 'omission')).toEqual([]);
    expect(result.words[1]).toMatchObject({ text: 'number', error_type: 'unscored', accuracy: null });
    expect(result.scores.completeness).toBe(100);
  });

  it('scores silence as nothing read', async () => {
    const pipeline = openUtterance(
      scriptedEngine(framesOf(utter('SIL 50'))),
      resolveReference({ text }),
      { emitIntervalMs: 100 },
      { onError() {} },
    );
    pipeline.push(new Float32Array(50 * samplesPerFrame));
    const { heard, scores, words, final_lag_ms, pace } = await pipeline.finish();
    expect(heard).toBe('nothing');
    expect(words.map(({ accuracy, error_type }) => [accuracy, error_type])).toEqual(
      words.map(() => [null, 'omission']),
    );
    expect(words.flatMap(({ phonemes }) => phonemes).every(({ accuracy }) => accuracy === null)).toBe(true);
    expect(scores).toEqual({ accuracy: null, fluency: null, completeness: 0, pronunciation: null });
    expect(final_lag_ms).toEqual({ p50: null, p95: null, max: null });
    expect(pace.words_per_minute).toBeNull();
  });
});
