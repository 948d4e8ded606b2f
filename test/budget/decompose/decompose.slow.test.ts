import { expect, it } from 'vitest';
import { decompose } from '../../../src/budget/decompose/decompose.ts';
import { decomposeNormal } from '../../../src/budget/sample/normal.ts';
import { cardModel, drawTraces } from '../../kit/gaussian.ts';

const options = { p: 0.95, confidence: 0.95, replicates: 200 };

it('intervals hold the true contribution about 95 times of 100', () => {
  const exact = decomposeNormal(cardModel(0), 0.95);
  let held = 0;
  for (let seed = 0; seed < 100; seed++) {
    const { contributions } = decompose(drawTraces(cardModel(0), 1000, seed), { ...options, seed });
    const { low, high } = contributions[3]!.interval;
    if (low <= exact.shares[3]! && exact.shares[3]! <= high) held++;
  }
  expect(held).toBeGreaterThanOrEqual(85);
  expect(held).toBeLessThanOrEqual(99);
});

it.each([0, 0.5, 1])('traces of the normal case at rho %f have contributions near the exact ones', (rho) => {
  const exact = decomposeNormal(cardModel(rho), 0.95);
  const measured = decompose(drawTraces(cardModel(rho), 40_000, 7), { ...options, seed: 1 });
  expect(Math.abs(measured.valueMs - exact.valueMs)).toBeLessThan(2);
  exact.shares.forEach((share, i) => {
    expect(Math.abs(measured.contributions[i]!.ms - share)).toBeLessThan(2);
  });
});
