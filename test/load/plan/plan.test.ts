import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { steadyLoad } from '../../../src/load/plan/load-profile.ts';
import { type PlanOptions, planHash, planLearners } from '../../../src/load/plan/plan.ts';

const clips = [
  { durationMs: 2680, sampleRateHz: 16_000, language: 'en-US' },
  { durationMs: 4935, sampleRateHz: 16_000, language: 'en-US' },
  { durationMs: 3001, sampleRateHz: 8000, language: 'en-US' },
  { durationMs: 2000, sampleRateHz: 16_000, language: 'de-DE' },
];
const behaviour = { frameMs: 20, pause: { leastMs: 500, mostMs: 500 } };
const options: PlanOptions = { shape: steadyLoad(20, 3000, 25_000), behaviour, seed: 1, clips };

describe('the schedule of a test', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planHash(planLearners(options))).toBe(planHash(planLearners(options)));
    expect(planHash(planLearners({ ...options, seed: 2 }))).not.toBe(planHash(planLearners(options)));
  });

  it('has another hash when only a fault differs', () => {
    const plans = planLearners(options);
    expect(planHash(plans, [{ kind: 'kill-inference', atMs: 5 }])).not.toBe(planHash(plans));
  });

  it('spreads the frames of those who come at one moment over the length of a frame', () => {
    const perPhase = new Map<number, number>();
    for (const { utterances } of planLearners({ ...options, shape: steadyLoad(700, 0, 2000) })) {
      const phase = utterances[0]!.beginMs % behaviour.frameMs;
      perPhase.set(phase, (perPhase.get(phase) ?? 0) + 1);
    }
    expect(perPhase.size).toBe(20);
    expect(Math.max(...perPhase.values())).toBeLessThanOrEqual(40);
  });

  it('gives learners to tenants in their shares, and changes nothing else', () => {
    const tenants = [
      { tenant: 'a', weight: 4 },
      { tenant: 'b', weight: 1 },
    ];
    const shape = steadyLoad(100, 0, 25_000);
    const shared = planLearners({ ...options, shape, tenants });
    expect(shared.filter(({ tenant }) => tenant === 'a').length / shared.length).toBeCloseTo(0.8, 1);
    const plain = planLearners({ ...options, shape });
    expect(shared.map(({ tenant: _, ...rest }) => rest)).toEqual(plain);
    expect(plain[0]).not.toHaveProperty('tenant');
  });

  it('of one learner does not depend on how many others there are, but for the arrival', () => {
    const clipsOf = (learners: number) =>
      planLearners({ ...options, shape: steadyLoad(learners, 3000, 25_000) })[3]!.utterances.map(({ clip }) => clip);
    expect(clipsOf(40).slice(0, 5)).toEqual(clipsOf(20).slice(0, 5));
  });

  it('gives every learner clips of one sample rate and one language, all of them before any comes again', () => {
    for (const { utterances, language } of planLearners(options)) {
      const first = clips[utterances[0]!.clip]!;
      const fitting = clips.filter(
        (clip) => clip.sampleRateHz === first.sampleRateHz && clip.language === first.language,
      );
      expect(language).toBe(first.language);
      expect(new Set(utterances.slice(0, fitting.length).map(({ clip }) => clip)).size).toBe(fitting.length);
    }
  });

  it('with a duty cycle has a learner speak for that share of the time', () => {
    const plans = planLearners({ ...options, behaviour: { frameMs: 20, pause: { speaking: 0.25 } } });
    for (const { arrivalMs, utterances } of plans) {
      const spokenMs = utterances.slice(0, -1).reduce((sum, { frames }) => sum + frames * 20, 0);
      expect(spokenMs / (utterances.at(-1)!.beginMs - arrivalMs - 300)).toBeCloseTo(0.25, 2);
    }
  });

  it('draws pauses evenly from a range', () => {
    const ranged = { ...options, behaviour: { frameMs: 20, pause: { leastMs: 200, mostMs: 1200 } } };
    const pauses = planLearners(ranged).flatMap(({ utterances }) =>
      utterances.slice(1).map(({ beginMs }, k) => beginMs - utterances[k]!.beginMs - utterances[k]!.frames * 20),
    );
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(200);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1205);
    expect(pauses.reduce((sum, ms) => sum + ms, 0) / pauses.length).toBeGreaterThan(550);
    expect(pauses.reduce((sum, ms) => sum + ms, 0) / pauses.length).toBeLessThan(850);
  });

  it('lets a share of utterances be broken off, and the next begin at once; all else stays', () => {
    const long = { ...options, shape: steadyLoad(40, 0, 120_000) };
    const plans = planLearners({ ...long, behaviour: { ...behaviour, bargeIn: 0.2 } });
    const all = plans.flatMap(({ utterances }) => utterances.slice(0, -1));
    const broken = all.filter(({ bargeIn }) => bargeIn);
    expect(broken.length / all.length).toBeGreaterThan(0.16);
    expect(broken.length / all.length).toBeLessThan(0.24);
    for (const { utterances } of plans) {
      for (const [k, { bargeIn, clip, beginMs, frames }] of utterances.slice(0, -1).entries()) {
        const gapMs = utterances[k + 1]!.beginMs - beginMs - frames * 20;
        expect(gapMs).toBe(bargeIn ? 0 : 500);
        const whole = Math.ceil(clips[clip]!.durationMs / 20);
        expect(frames / whole).toBeLessThanOrEqual(bargeIn ? 0.91 : 1);
        expect(frames / whole).toBeGreaterThanOrEqual(bargeIn ? 0.29 : 1);
      }
    }
    const order = (of: typeof plans) => of.map(({ utterances }) => utterances.slice(0, 9).map(({ clip }) => clip));
    expect(order(plans)).toEqual(order(planLearners(long)));
  });

  it('holds silent frames back, up to where the learner stops', () => {
    const gated = clips.map((clip) => ({ ...clip, gated: [[0, 10] as const, [90, 100] as const] }));
    for (const { utterances } of planLearners({ ...options, clips: gated })) {
      for (const utterance of utterances) {
        const held =
          utterance.frames > 90
            ? [
                [0, 10],
                [90, Math.min(100, utterance.frames)],
              ]
            : [[0, Math.min(10, utterance.frames)]];
        expect(utterance.gated).toEqual(held);
      }
    }
  });

  it('keeps its laws for any options', () => {
    const anyOptions = fc.record({
      learners: fc.integer({ min: 1, max: 12 }),
      rampMs: fc.integer({ min: 0, max: 900 }),
      durationMs: fc.integer({ min: 1000, max: 30_000 }),
      frameMs: fc.constantFrom(10, 20, 30, 40, 100),
      pauseMs: fc.integer({ min: 0, max: 2000 }),
      bargeIn: fc.constantFrom(0, 0.5),
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
      fc.property(anyOptions, ({ learners, rampMs, durationMs, frameMs, pauseMs, bargeIn, ...any }) => {
        const pause = { leastMs: pauseMs, mostMs: pauseMs };
        const shape = steadyLoad(learners, rampMs, durationMs);
        for (const plan of planLearners({ ...any, shape, behaviour: { frameMs, pause, bargeIn } })) {
          let freeMs = plan.arrivalMs;
          expect(plan.utterances.length).toBeGreaterThan(0);
          for (const { clip, beginMs, frames, bargeIn: broken } of plan.utterances) {
            expect(beginMs % 1).toBe(0);
            expect(beginMs).toBeGreaterThanOrEqual(freeMs);
            expect(frames).toBeGreaterThan(0);
            expect(frames).toBeLessThanOrEqual(Math.ceil(any.clips[clip]!.durationMs / frameMs));
            expect(beginMs + frames * frameMs).toBeLessThanOrEqual(plan.leaveMs);
            expect(any.clips[clip]!.language).toBe(plan.language);
            freeMs = beginMs + frames * frameMs + (broken ? 0 : pauseMs);
          }
          expect(new Set(plan.utterances.map(({ clip }) => any.clips[clip]!.sampleRateHz)).size).toBe(1);
        }
      }),
    );
  });
});
