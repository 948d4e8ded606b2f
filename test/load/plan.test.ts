import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PlanOptions, planHash, planLearners } from '../../src/load/plan.ts';

const options: PlanOptions = {
  learners: 20,
  rampMs: 3000,
  durationMs: 25_000,
  frameMs: 20,
  pauseMs: 500,
  seed: 1,
  clips: [
    { durationMs: 2680, sampleRateHz: 16_000, language: 'en-US' },
    { durationMs: 4935, sampleRateHz: 16_000, language: 'en-US' },
    { durationMs: 3001, sampleRateHz: 8000, language: 'en-US' },
  ],
};

describe('the schedule of a test', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(planHash(planLearners(options))).toBe(planHash(planLearners(options)));
    expect(planHash(planLearners({ ...options, seed: 2 }))).not.toBe(planHash(planLearners(options)));
  });

  test('of one learner does not depend on how many others there are, but for the arrival', () => {
    const clipsOf = (learners: number) => planLearners({ ...options, learners })[3]!.utterances.map(({ clip }) => clip);
    expect(clipsOf(40).slice(0, 5)).toEqual(clipsOf(20).slice(0, 5));
  });

  test('spreads arrivals evenly over the ramp', () => {
    const arrivals = planLearners({ ...options, learners: 300 }).map(({ arrivalMs }) => arrivalMs);
    expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
    for (const third of [0, 1, 2]) {
      const within = arrivals.filter((ms) => ms >= third * 1000 && ms < (third + 1) * 1000);
      expect(Math.abs(within.length - 100)).toBeLessThanOrEqual(1);
    }
  });

  test('keeps its laws for any options', () => {
    const anyOptions = fc.record({
      learners: fc.integer({ min: 1, max: 12 }),
      rampMs: fc.integer({ min: 0, max: 4000 }),
      durationMs: fc.integer({ min: 1000, max: 30_000 }),
      frameMs: fc.constantFrom(10, 20, 30, 40, 100),
      pauseMs: fc.integer({ min: 0, max: 2000 }),
      seed: fc.nat(),
      clips: fc.array(
        fc.record({
          durationMs: fc.integer({ min: 1, max: 6000 }),
          sampleRateHz: fc.constantFrom(8000, 16_000),
          language: fc.constantFrom('en-US', 'de-DE'),
        }),
        { minLength: 1, maxLength: 5 },
      ),
    });
    fc.assert(
      fc.property(anyOptions, (any) => {
        for (const { arrivalMs, utterances } of planLearners(any)) {
          let freeMs = arrivalMs;
          for (const { clip, beginMs, frames } of utterances) {
            expect(beginMs % 5).toBe(0);
            expect(beginMs).toBeGreaterThanOrEqual(freeMs);
            expect(frames).toBeGreaterThan(0);
            expect(frames).toBeLessThanOrEqual(Math.ceil(any.clips[clip]!.durationMs / any.frameMs));
            expect(beginMs + frames * any.frameMs).toBeLessThanOrEqual(any.durationMs);
            freeMs = beginMs + frames * any.frameMs + any.pauseMs;
          }
          expect(new Set(utterances.map(({ clip }) => any.clips[clip]!.sampleRateHz)).size).toBeLessThanOrEqual(1);
          expect(new Set(utterances.map(({ clip }) => any.clips[clip]!.language)).size).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
