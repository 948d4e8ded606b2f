import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitUsl, uslPeak, uslThroughput } from '../../../src/capacity/scenario/usl.ts';
import { createRandom } from '../../../src/stats/random.ts';

/** SPEC SDM benchmark of 1991 (Gunther, Guerrilla Capacity Planning): scripts and scripts an hour. */
const specsdm91 = [
  [1, 64.9],
  [18, 995.9],
  [36, 1652.4],
  [72, 1853.2],
  [108, 1828.9],
  [144, 1775.0],
  [216, 1702.2],
].map(([load, throughput]) => ({ load: load!, throughput: throughput! }));

describe('the scalability law', () => {
  it('fits SPEC SDM91 as published', () => {
    const usl = fitUsl(specsdm91)!;
    expect(usl.alpha).toBeCloseTo(0.0277285, 6);
    expect(usl.beta).toBeCloseTo(0.0001044, 7);
    expect(usl.gamma).toBeCloseTo(89.995, 2);
    expect(uslPeak(usl).load).toBeCloseTo(96.5, 1);
    expect(uslPeak(usl).throughput).toBeCloseTo(1884, 0);
  });

  it('finds the law that made the points', () => {
    const alpha = fc.double({ min: 0.001, max: 0.2, noNaN: true });
    const beta = fc.double({ min: 1e-6, max: 1e-3, noNaN: true });
    const gamma = fc.double({ min: 1, max: 1000, noNaN: true });
    fc.assert(
      fc.property(alpha, beta, gamma, (alpha, beta, gamma) => {
        const usl = { alpha, beta, gamma };
        const loads = [1, 2, 5, 10, 20, 50, 100, 200];
        const found = fitUsl(loads.map((load) => ({ load, throughput: uslThroughput(usl, load) })))!;
        expect(found.alpha).toBeCloseTo(alpha, 5);
        expect(found.beta).toBeCloseTo(beta, 6);
        expect(found.gamma / gamma).toBeCloseTo(1, 5);
      }),
    );
  });

  it('has the least squared error also where that lies on a boundary', () => {
    const random = createRandom(4);
    const loads = [1, 2, 4, 8, 16, 32, 64];
    for (let curve = 0; curve < 60; curve++) {
      const truth = { alpha: 0.1, beta: curve % 2 === 0 ? 0 : 1e-5, gamma: 50 };
      const points = loads.map((load) => ({
        load,
        throughput: uslThroughput(truth, load) * (1 + 0.05 * random.normal()),
      }));
      const found = fitUsl(points)!;
      const error = (usl: typeof truth) =>
        points.reduce((sum, { load, throughput }) => sum + (throughput - uslThroughput(usl, load)) ** 2, 0);
      // No neighbour is better: each direction by itself, and along the boundary.
      for (const step of [1e-3, 1e-4, 1e-5]) {
        for (const [a, b, c] of [
          [1, 0, 0],
          [-1, 0, 0],
          [0, 1, 0],
          [0, -1, 0],
          [0, 0, 1],
          [0, 0, -1],
          [1, 0, 1],
          [-1, 0, -1],
        ] as const) {
          const near = {
            alpha: Math.max(0, found.alpha * (1 + a * step)),
            beta: Math.max(0, found.beta + b * step * 1e-3),
            gamma: found.gamma * (1 + c * step),
          };
          expect(error(near)).toBeGreaterThanOrEqual(error(found) * (1 - 1e-9));
        }
      }
    }
  });

  it('says nothing from two loads', () => {
    expect(fitUsl(specsdm91.slice(0, 2))).toBeUndefined();
  });

  it('has no peak where nothing gets slower', () => {
    const line = fitUsl([1, 2, 4, 8].map((load) => ({ load, throughput: 10 * load })))!;
    expect(line.gamma).toBeCloseTo(10, 6);
    expect(uslPeak({ ...line, beta: 0 }).load).toBe(Number.POSITIVE_INFINITY);
  });
});
