import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeInterval, tracesToDecide } from '../../../src/budget/decompose/verdict.ts';

describe('a verdict', () => {
  it.each([
    ['the whole interval keeps the limit', 400, 490, 'lte', 'pass'],
    ['its upper end is the limit', 400, 500, 'lte', 'pass'],
    ['its upper end is a limit to stay under', 400, 500, 'lt', 'invalid'],
    ['it straddles the limit', 490, 510, 'lte', 'invalid'],
    ['the whole interval breaks the limit', 501, 510, 'lte', 'fail'],
    ['no value bounds it from above', 400, Infinity, 'lte', 'invalid'],
    ['no value bounds it from above, yet it is over', 501, Infinity, 'lte', 'fail'],
    ['nothing bounds it', -Infinity, Infinity, 'lte', 'invalid'],
    ['nothing came', Infinity, Infinity, 'lte', 'fail'],
  ] as const)('when %s', (_name, low, high, op, verdict) =>
    expect(judgeInterval({ low, high }, op, 500)).toBe(verdict),
  );

  it('never improves when a measurement grows', () =>
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(200), fc.nat(100), fc.nat(100), (low, width, more, wider) => {
        const rank = { pass: 0, invalid: 1, fail: 2 };
        const before = rank[judgeInterval({ low, high: low + width }, 'lte', 500)];
        const after = rank[judgeInterval({ low: low + more, high: low + width + more + wider }, 'lte', 500)];
        expect(after).toBeGreaterThanOrEqual(before);
      }),
    ));
});

describe('the traces that decide a straddling interval', () => {
  it('are three times as many again when the interval is twice the room', () =>
    expect(tracesToDecide(1000, 490, { low: 470, high: 510 }, 500)).toBe(3000));

  it('are looked for below the figure when it is over the limit', () =>
    expect(tracesToDecide(1000, 510, { low: 495, high: 530 }, 500)).toBe(1250));

  it('are beyond number when the figure sits on the limit', () =>
    expect(tracesToDecide(1000, 500, { low: 490, high: 510 }, 500)).toBe(Infinity));

  it.each([
    ['the side towards the limit is open', 490, 480, Infinity],
    ['the figure never came', Infinity, 480, Infinity],
  ])('are unknown when %s', (_name, value, low, high) =>
    expect(tracesToDecide(1000, value, { low, high }, 500)).toBeNaN(),
  );
});
