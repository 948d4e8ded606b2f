import { describe, expect, it } from 'vitest';
import { createRandom, type Random } from '../../src/stats/random.ts';
import { eventsToClear, expectedEvents, type SequentialPlan, sequentialTest } from '../../src/stats/sprt.ts';

/** Events until the test decides; from one bad event to the next at a time. */
function walked(random: Random, tested: SequentialPlan, share: number): number {
  const toClear = eventsToClear(tested);
  for (let [bad, total] = [0, 0]; ; bad++) {
    const good = Math.floor(Math.log(1 - random.uniform()) / Math.log1p(-share));
    const enough = (bad * Math.log(tested.worse / tested.fine)) / -Math.log((1 - tested.worse) / (1 - tested.fine));
    const fineAt = Math.ceil(toClearFrom(tested) + enough - 1e-9) + bad;
    if (total + good >= fineAt) return Math.max(fineAt, toClear);
    total += good + 1;
    if (sequentialTest(tested, bad + 1, total).decision === 'worse') return total;
  }
}

function toClearFrom({ fine, worse, alpha, beta }: SequentialPlan): number {
  return Math.log(beta / (1 - alpha)) / Math.log((1 - worse) / (1 - fine));
}

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
    expect(whenFine).toBeCloseTo(498.55, 2);
    expect(whenWorse).toBeCloseTo(864.9, 1);
  });

  it.each([
    ['1 against 2 %', plan],
    ['5 against 10 %', { ...plan, fine: 0.05, worse: 0.1 }],
    ['1 against 4 %', { ...plan, worse: 0.04 }],
    ['.02 against .04 %', { ...plan, fine: 0.0002, worse: 0.0004 }],
  ])('takes as many on average as walks do: %s', (_, tested) => {
    const random = createRandom(11);
    const expected = expectedEvents(tested);
    for (const [share, mean] of [
      [tested.fine, expected.whenFine],
      [tested.worse, expected.whenWorse],
    ] as const) {
      let events = 0;
      for (let walk = 0; walk < 4000; walk++) events += walked(random, tested, share);
      expect(events / 4000 / mean).toBeGreaterThan(0.95);
      expect(events / 4000 / mean).toBeLessThan(1.05);
    }
  });

  it('answers at once however near or rare the shares are', () => {
    for (const [fine, worse] of [
      [0.001, 0.0011],
      [1e-6, 1.001e-6],
      [0.4, 0.41],
    ] as const) {
      const { whenFine, whenWorse } = expectedEvents({ ...plan, fine, worse });
      expect(whenFine).toBeGreaterThan(1);
      expect(whenWorse).toBeGreaterThan(whenFine);
    }
  });
});
