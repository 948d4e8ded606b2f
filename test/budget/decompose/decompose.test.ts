import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompose } from '../../../src/budget/decompose/decompose.ts';
import { changeNormal, decomposeNormal } from '../../../src/budget/sample/normal.ts';
import { pick, type Sample, sampleOf } from '../../../src/budget/sample/sample.ts';
import { createRandom } from '../../../src/stats/random.ts';
import { cardModel, drawTraces } from '../../kit/gaussian.ts';

const options = { p: 0.95, confidence: 0.95, replicates: 200, seed: 1 };

describe('jointly normal stages, exactly', () => {
  it('decompose p95 of the uncorrelated case', () => {
    const { valueMs, shares } = decomposeNormal(cardModel(0), 0.95);
    expect(valueMs).toBeCloseTo(425.7849, 4);
    [61.5608, 12.4665, 21.0497, 242.8983, 28.3619, 59.4476].forEach((share, i) => {
      expect(shares[i]).toBeCloseTo(share, 4);
    });
  });

  it('contribute their own p95 when fully correlated', () => {
    const { valueMs, shares } = decomposeNormal(cardModel(1), 0.95);
    expect(valueMs).toBeCloseTo(500.7751, 4);
    const p95s = cardModel(1).stages.map(({ meanMs, sdMs }) => meanMs + 1.6448536269514722 * sdMs);
    p95s.forEach((p95, i) => {
      expect(shares[i]).toBeCloseTo(p95, 9);
    });
  });

  it('a scale is more than its first-order share', () => {
    const model = cardModel(0);
    const before = decomposeNormal(model, 0.95);
    const after = decomposeNormal(changeNormal(model, [{ stage: 'asr', kind: 'scale', factor: 270 / 170 }])!, 0.95);
    expect(after.valueMs - before.valueMs).toBeCloseTo(144.7177, 4);
    expect((before.shares[3]! * 100) / 170).toBeCloseTo(142.8813, 4);
  });

  it('are no longer normal when capped', () =>
    expect(changeNormal(cardModel(0), [{ stage: 'asr', kind: 'cap', atMs: 200 }])).toBeUndefined());
});

describe('traces', () => {
  it('of two rare stalls have a p95 that neither stage has', () => {
    const random = createRandom(4);
    const stall = () => Float64Array.from({ length: 20_000 }, () => (random.uniform() < 0.04 ? 100 : 0));
    const { valueMs, contributions } = decompose(
      sampleOf([
        { name: 'a', ms: stall() },
        { name: 'b', ms: stall() },
      ]),
      options,
    );
    expect(valueMs).toBe(100);
    for (const { ms } of contributions) expect(Math.abs(ms - 50)).toBeLessThan(3);
  });

  it('give the same intervals for the same seed', () => {
    const sample = drawTraces(cardModel(0), 500, 1);
    expect(decompose(sample, options)).toEqual(decompose(sample, options));
    expect(decompose(sample, options).contributions).not.toEqual(
      decompose(sample, { ...options, seed: 2 }).contributions,
    );
  });

  it('that never came count in the percentile and in no share', () => {
    const sample = drawTraces(cardModel(0), 1000, 1);
    sample.totals.fill(Infinity, 0, 40);
    const some = decompose(sample, options);
    expect(some.valueMs).toBeGreaterThan(460);
    expect(sumOf(some)).toBeCloseTo(some.valueMs, 6);
    sample.totals.fill(Infinity, 0, 60);
    const many = decompose(sample, options);
    expect(many.valueMs).toBe(Infinity);
    expect(many.contributions[0]!.ms).toBeNaN();
  });

  it('all alike contribute themselves', () => {
    const alike = (ms: number) => new Float64Array(100).fill(ms);
    const { valueMs, contributions } = decompose(
      sampleOf([
        { name: 'a', ms: alike(3) },
        { name: 'b', ms: alike(4) },
      ]),
      options,
    );
    expect([valueMs, ...contributions.map(({ ms }) => ms)]).toEqual([7, 3, 4]);
  });
});

describe('laws', () => {
  const sample = fc.array(fc.tuple(time(), time(), time()), { minLength: 1, maxLength: 300 }).map((rows) =>
    sampleOf(
      ['a', 'b'].map((name, c) => ({ name, ms: Float64Array.from(rows, (row) => row[c]!) })),
      Float64Array.from(rows, (row) => row[2]),
    ),
  );

  it('contributions and unattributed time sum to the percentile', () =>
    fc.assert(
      fc.property(sample, (traces) => {
        const result = decompose(traces, { ...options, replicates: 20 });
        expect(sumOf(result)).toBeCloseTo(result.valueMs, 6);
      }),
    ));

  it('the order of the traces changes nothing', () =>
    fc.assert(
      fc.property(sample, (traces) => {
        const reversed = pick(
          traces,
          Array.from({ length: traces.n }, (_, i) => traces.n - 1 - i),
        );
        const [a, b] = [traces, reversed].map((each: Sample) => decompose(each, { ...options, replicates: 1 }));
        expect(b!.valueMs).toBe(a!.valueMs);
        a!.contributions.forEach(({ ms }, i) => {
          expect(b!.contributions[i]!.ms).toBeCloseTo(ms, 6);
        });
      }),
    ));
});

function time() {
  return fc.double({ min: 0, max: 1000, noNaN: true });
}

function sumOf({ contributions, unattributed }: ReturnType<typeof decompose>): number {
  return contributions.reduce((sum, { ms }) => sum + ms, unattributed.ms);
}
