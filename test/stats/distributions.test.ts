import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  betaCdf,
  betaQuantile,
  binomialCdf,
  logGamma,
  normalCdf,
  normalQuantile,
} from '../../src/stats/distributions.ts';

describe('the normal distribution', () => {
  it.each([
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1.96, 0.024997895148220435],
    [3, 0.9986501019683699],
    [-8, 6.220960574271785e-16],
    [-40, 0],
  ])('lies below %f with chance %f', (x, p) => expect(normalCdf(x)).toBeCloseTo(p, 15));

  it.each([
    [0.5, 0],
    [0.95, 1.6448536269514722],
    [0.975, 1.959963984540054],
    [0.99, 2.3263478740408408],
    [0.001, -3.090232306167813],
    [1e-5, -4.264890793922825],
  ])('has the %f-quantile %f', (p, x) => expect(normalQuantile(p)).toBeCloseTo(x, 12));

  it('is unbounded at 0 and 1 and undefined beyond', () => {
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([-Infinity, Infinity]);
    expect(normalQuantile(1.01)).toBeNaN();
  });

  it('is undone by its quantile', () =>
    fc.assert(
      fc.property(
        fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }),
        (p) => Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-13,
      ),
    ));
});

describe('gamma, beta and binomial', () => {
  it.each([
    [1, 0],
    [0.5, 0.5723649429247001],
    [10, 12.801827480081469],
    [1e6, 12815504.569147611],
  ])('ln gamma of %f is %f', (x, value) =>
    expect(logGamma(x) / Math.max(1, value)).toBeCloseTo(value / Math.max(1, value), 13),
  );

  it.each([
    [0.5, 2, 2, 0.5],
    [0.3, 2, 5, 0.579825],
    [0.9, 1, 1, 0.9],
    [0.01, 0.5, 0.5, 0.0637685608585],
  ])('I_%f(%f, %f) is %f', (x, a, b, value) => expect(betaCdf(x, a, b)).toBeCloseTo(value, 10));

  it.each([
    [89, 100, 0.95, 0.0115],
    [99, 100, 0.95, 0.99407947],
    [0, 10, 0.5, 0.0009765625],
    [12, 600, 0.01, 0.991508],
  ])('at most %i of %i at %f has chance %f', (k, n, p, value) => expect(binomialCdf(k, n, p)).toBeCloseTo(value, 4));

  it.each([
    [-1, 5, 0.5, 0],
    [5, 5, 0.5, 1],
    [2, 5, 0, 1],
    [2, 5, 1, 0],
  ])('at most %i of %i at %f is certain or impossible: %i', (k, n, p, value) =>
    expect(binomialCdf(k, n, p)).toBe(value),
  );

  it('is the sum of its terms', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 60 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (n, k, p) => {
          let term = (1 - p) ** n;
          let sum = term;
          for (let i = 1; i <= Math.min(k, n); i++) {
            term *= ((n - i + 1) / i) * (p / (1 - p));
            sum += term;
          }
          expect(binomialCdf(k, n, p)).toBeCloseTo(Math.min(1, sum), 9);
        },
      ),
    ));

  it('betaQuantile gives the Clopper-Pearson bound: 0 of 59 leaves at most 5 %', () =>
    expect(betaQuantile(0.95, 1, 59)).toBeCloseTo(1 - 0.05 ** (1 / 59), 12));
});
