import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outrunningRise } from '../../../src/deploy/plan/lead.ts';

const minute = 60_000;
const look = { durationMs: 60 * minute, leadMs: 2 * minute, absorbed: 1.2, stepMs: minute };

describe('the rise that no autoscaler answers in time', () => {
  it.each([
    ['none where nothing changes', () => 100, undefined],
    ['none where it grows by less than is kept free', (atMs: number) => 1000 + atMs / minute, undefined],
    ['none where everybody leaves', (atMs: number) => 1000 - atMs / minute, undefined],
    ['the top of a class that begins at once', (atMs: number) => (atMs < 10 * minute ? 100 : 300), 300],
    ['the larger of two', (atMs: number) => (atMs < 10 * minute ? 10 : atMs < 30 * minute ? 50 : 400), 400],
    [
      'not the larger, where only the smaller is steep',
      (atMs: number) => (atMs < minute ? 1 : 1000 + atMs / minute),
      1002,
    ],
  ])('is %s', (_, users, expected) => expect(outrunningRise(users, look)?.users).toBe(expected));

  it('never asks for more than there ever are, and for none that is absorbed', () =>
    fc.assert(
      fc.property(
        fc.array(fc.nat(10_000), { minLength: 2, maxLength: 80 }),
        fc.double({ min: 1, max: 3, noNaN: true }),
        (levels, absorbed) => {
          const users = (atMs: number) => levels[Math.min(levels.length - 1, Math.floor(atMs / minute))]!;
          const rise = outrunningRise(users, { ...look, absorbed });
          if (rise) {
            expect(rise.users).toBeLessThanOrEqual(Math.max(...levels));
            expect(rise.users).toBeGreaterThan(rise.from * absorbed);
          } else
            for (let at = 0; at <= look.durationMs; at += minute)
              expect(users(at + look.leadMs)).toBeLessThanOrEqual(users(at) * absorbed);
        },
      ),
    ));
});
