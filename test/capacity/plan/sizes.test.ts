import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addPods, countPods } from '../../../src/capacity/plan/pods.ts';
import { spotPods } from '../../../src/capacity/plan/spot.ts';
import { concurrencyOf, concurrencyQuantile } from '../../../src/capacity/queueing/concurrency.ts';
import { ceilSafe, floorSafe } from '../../../src/capacity/queueing/rounding.ts';
import { audioBytesPerSecond, codecNote, wireBytesPerSecond } from '../../../src/capacity/scenario/codec.ts';
import { binomialCdf } from '../../../src/stats/distributions.ts';

const pcm = (sampleRateHz: number, channels = 1) => ({ codec: 'pcm16', sampleRateHz, channels }) as const;

describe('bytes', () => {
  it.each([
    ['8 kHz pcm16', pcm(8000), 16_000],
    ['16 kHz pcm16', pcm(16_000), 32_000],
    ['16 kHz pcm16 stereo', pcm(16_000, 2), 64_000],
    ['telephone mu-law', { codec: 'mulaw', sampleRateHz: 8000, channels: 1 } as const, 8000],
    ['opus at its speech rate', { codec: 'opus', sampleRateHz: 16_000, channels: 1 } as const, 2500],
    ['opus at 32 kbit/s', { codec: 'opus', sampleRateHz: 16_000, channels: 1, bitsPerSecond: 32_000 } as const, 4000],
  ])('%s', (_, format, expected) => expect(audioBytesPerSecond(format)).toBe(expected));

  it('headers add 106 bytes to each of 50 frames a second', () => {
    expect(wireBytesPerSecond(pcm(8000), 20)).toBe(16_000 + 5300);
  });

  it('says what 16 kB/s is not', () => {
    expect(codecNote(pcm(8000))).toMatch(/pcm16 8 kHz mono is 16 kB\/s.*32 kB\/s/);
  });
});

describe('concurrency', () => {
  it('of a class of 20,000 at 40 %', () => {
    expect(concurrencyOf(20_000, 0.4)).toEqual({ mean: 8000, p50: 8000, p95: 8114, p99: 8161, p999: 8214 });
  });

  it.each([
    ['a class that always speaks', 30, 1, 0.5, 30],
    ['nobody', 0, 0.4, 0.999, 0],
    ['one learner, seldom', 1, 0.01, 0.95, 0],
  ])('%s', (_, users, duty, p, expected) => expect(concurrencyQuantile(users, duty, p)).toBe(expected));

  it('is the first count that is enough', () => {
    const users = fc.integer({ min: 1, max: 50_000 });
    const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(users, share, share, (users, duty, p) => {
        const streams = concurrencyQuantile(users, duty, p);
        expect(binomialCdf(streams, users, duty)).toBeGreaterThanOrEqual(p);
        expect(binomialCdf(streams - 1, users, duty)).toBeLessThan(p);
      }),
    );
  });
});

describe('pods', () => {
  const card = { users: 20_000, duty: 0.4, streamsPerPod: 120, headroom: 0.3, blocking: 0.001 };

  it("the card's class: 67, and 88 with headroom; 69 for all but a thousandth of moments", () => {
    expect(countPods(card)).toEqual({ minimum: 67, withHeadroom: 88, binomial: 69, erlangB: 68 });
  });

  it.each([
    ['an exact fit is not rounded up', { ...card, users: 3000, streamsPerPod: 120, headroom: 0.1 }, 10, 11],
    ['no headroom', { ...card, headroom: 0 }, 67, 67],
    ['one learner', { ...card, users: 1 }, 1, 2],
  ])('%s', (_, demand, minimum, withHeadroom) => expect(countPods(demand)).toMatchObject({ minimum, withHeadroom }));

  it('more streams a pod never need more pods, more blocking neither', () => {
    const demand = fc.record({
      users: fc.integer({ min: 1, max: 20_000 }),
      duty: fc.double({ min: 0.01, max: 0.95, noNaN: true }),
      streamsPerPod: fc.integer({ min: 1, max: 500 }),
      headroom: fc.double({ min: 0, max: 1, noNaN: true }),
      blocking: fc.constantFrom(0.0001, 0.001, 0.01),
    });
    fc.assert(
      fc.property(demand, (demand) => {
        const pods = countPods(demand);
        const bigger = countPods({ ...demand, streamsPerPod: demand.streamsPerPod + 1 });
        const laxer = countPods({ ...demand, blocking: demand.blocking * 2 });
        for (const rule of ['minimum', 'withHeadroom', 'binomial', 'erlangB'] as const) {
          expect(bigger[rule]).toBeLessThanOrEqual(pods[rule]);
          expect(laxer[rule]).toBeLessThanOrEqual(pods[rule]);
        }
        // Whatever the pods then carry is enough: adding them never adds blocking.
        const blocked = (count: number) => 1 - binomialCdf(count * demand.streamsPerPod, demand.users, demand.duty);
        expect(blocked(pods.binomial)).toBeLessThanOrEqual(demand.blocking * (1 + 1e-9));
        expect(blocked(pods.binomial + 1)).toBeLessThanOrEqual(blocked(pods.binomial));
      }),
    );
  });

  it('regions that do not share need more', () => {
    const thirds = [1, 1, 1].map(() => countPods({ ...card, users: 20_000 / 3 }));
    expect(addPods(thirds).minimum).toBe(69);
    expect(addPods(thirds).binomial).toBeGreaterThan(69);
  });

  it.each([
    [20, 0.05, 0.999, 26],
    [20, 0, 0.999, 20],
    [0, 0.05, 0.999, 0],
    [1, 0.5, 0.99, 7],
  ])('%i spot pods, %f lost, %f sure: run %i', (needed, lost, sure, expected) =>
    expect(spotPods(needed, lost, sure)).toBe(expected),
  );
});

it.each([
  ['10 x 1.1', ceilSafe(10 * 1.1), 11],
  ['67 x 1.3', ceilSafe(67 * 1.3), 88],
  ['a real part above', ceilSafe(11.001), 12],
  ['0.3 / 0.1', floorSafe(0.3 / 0.1), 3],
])('rounding forgives floating point: %s', (_, found, expected) => expect(found).toBe(expected));
