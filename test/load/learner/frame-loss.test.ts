import { describe, expect, it } from 'vitest';
import { FrameLoss } from '../../../src/load/learner/frame-loss.ts';
import { createRandomStream } from '../../../src/stats/random-stream.ts';

const dueMs = Array.from({ length: 5000 }, (_, i) => 20 * (i + 1));

/** The due times of frames that are lost, of 100 s of frames. */
function lost(seed: number, ...losses: Parameters<FrameLoss['begin']>[0][]): number[] {
  const loss = new FrameLoss(createRandomStream(seed));
  for (const one of losses) loss.begin(one);
  return dueMs.filter((ms) => loss.takes(ms));
}

describe('an app that loses frames', () => {
  it('loses the share that was asked for, of its time alone', () => {
    const taken = lost(1, { share: 0.1, fromMs: 10_000, untilMs: 90_000 });
    expect(taken.length).toBeGreaterThan(350);
    expect(taken.length).toBeLessThan(450);
    expect(taken.every((ms) => ms > 10_000 && ms <= 90_000)).toBe(true);
  });

  it('loses every frame of its time for 100 %: those after its beginning, until its end', () => {
    expect(lost(1, { share: 1, fromMs: 1000, untilMs: 1100 })).toEqual([1020, 1040, 1060, 1080, 1100]);
  });

  it('loses the same frames with the same seed, and others with another', () => {
    const half = { share: 0.5, fromMs: 0, untilMs: 100_000 };
    expect(lost(7, half)).toEqual(lost(7, half));
    expect(lost(7, half)).not.toEqual(lost(8, half));
  });

  it('loses by two faults at once what either takes', () => {
    const both = lost(1, { share: 0.5, fromMs: 0, untilMs: 1e5 }, { share: 0.5, fromMs: 0, untilMs: 1e5 });
    expect(both.length / dueMs.length).toBeCloseTo(0.75, 1);
  });
});
