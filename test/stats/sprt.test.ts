import { describe, expect, it } from 'vitest';
import { eventsToClear, expectedEvents, type SequentialPlan, sequentialTest } from '../../src/stats/sprt.ts';

const plan: SequentialPlan = { fine: 0.01, worse: 0.02, alpha: 0.01, beta: 0.2 };

describe('the sequential test', () => {
  it.each([
    [0, 0, 'continue'],
    [0, 157, 'continue'],
    [0, 158, 'fine'],
    [7, 7, 'worse'],
    [6, 6, 'continue'],
    [10, 1000, 'fine'],
    [20, 1000, 'continue'],
    [21, 1000, 'worse'],
  ])('%d bad of %d: %s', (bad, total, decision) => {
    expect(sequentialTest(plan, bad, total).decision).toBe(decision);
  });

  it('clears a spotless canary after exactly the events it promises', () => {
    const events = eventsToClear(plan);
    expect(sequentialTest(plan, 0, events).decision).toBe('fine');
    expect(sequentialTest(plan, 0, events - 1).decision).toBe('continue');
  });

  it('never turns milder when one more event is bad', () => {
    const order = ['fine', 'continue', 'worse'];
    for (let total = 1; total <= 400; total += 7) {
      let worst = 0;
      for (let bad = 0; bad <= total; bad++) {
        const now = order.indexOf(sequentialTest(plan, bad, total).decision);
        expect(now).toBeGreaterThanOrEqual(worst);
        worst = now;
      }
    }
  });

  it('takes fewer events than the fixed sample of 1,398 that has the same errors', () => {
    const { whenFine, whenWorse } = expectedEvents(plan);
    expect(whenFine).toBeCloseTo(493.55, 2);
    expect(whenWorse).toBeCloseTo(813.8, 0);
  });
});
