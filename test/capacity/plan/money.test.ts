import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breakEvenUtilisation, costOf, fleetHour, type SelfHosted } from '../../../src/capacity/plan/cost.ts';
import { tornado } from '../../../src/capacity/plan/tornado.ts';

const card: SelfHosted = { pricePerHour: 2, overhead: 0.3, share: 0.7, fullMinutesPerHour: 6000, utilisation: 1 };
const managed = { pricePerMinute: 0.02 };

describe('an audio minute', () => {
  it('costs what the card says: $.02, $.00043, $.0063', () => {
    const cost = costOf({ selfHosted: card, managed });
    expect(cost.managedPerMinute).toBe(0.02);
    expect(cost.selfHostedPerMinute).toBeCloseTo(0.000433333, 9);
    expect(cost.blendedPerMinute).toBeCloseTo(0.0063033, 7);
  });

  it('of a pod of 48 streams at $1.20, 60 % full, costs $.000694; break-even at 2.78 % against $.015', () => {
    const pod = { pricePerHour: 1.2, overhead: 0, share: 1, fullMinutesPerHour: 60 * 48, utilisation: 0.6 };
    expect(costOf({ selfHosted: pod }).selfHostedPerMinute).toBeCloseTo(0.000694, 6);
    expect(breakEvenUtilisation(pod, 0.015)).toBeCloseTo(0.0278, 4);
  });

  it.each([
    ['only managed', { managed }, 0.02],
    ['only own', { selfHosted: { ...card, share: 1 } }, 0.00043333],
    ['neither', {}, undefined],
  ])('%s', (_, supply, expected) => {
    const { blendedPerMinute } = costOf(supply);
    if (expected === undefined) expect(blendedPerMinute).toBeUndefined();
    else expect(blendedPerMinute).toBeCloseTo(expected, 7);
  });

  it('is never cheaper when a price rises, and at break-even both cost the same', () => {
    const price = fc.double({ min: 0.01, max: 50, noNaN: true });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(price, price, share, share, (hour, minute, share, overhead) => {
        const own = { ...card, pricePerHour: hour, share, overhead };
        const at = (a: number, b: number) =>
          costOf({ selfHosted: { ...own, pricePerHour: hour * a }, managed: { pricePerMinute: minute * b } })
            .blendedPerMinute!;
        expect(at(1.1, 1)).toBeGreaterThanOrEqual(at(1, 1));
        expect(at(1, 1.1)).toBeGreaterThanOrEqual(at(1, 1));
        const utilisation = breakEvenUtilisation(own, minute)!;
        expect(costOf({ selfHosted: { ...own, utilisation } }).selfHostedPerMinute! / minute).toBeCloseTo(1, 9);
      }),
    );
  });
});

it('nothing breaks even with what is free', () => {
  expect(breakEvenUtilisation(card, 0)).toBeUndefined();
});

describe('a fleet hour', () => {
  it('is served and idle, and adds up', () => {
    const hour = fleetHour(card, 88, 8000 / (88 * 120), 8000 * 60);
    expect(hour.perHour).toBeCloseTo(228.8, 9);
    expect(hour.servedPerHour + hour.idlePerHour).toBeCloseTo(hour.perHour, 9);
    expect(hour.servedPerHour).toBeCloseTo(173.33, 2);
    expect(hour.perServedMinute).toBeCloseTo(0.000476667, 9);
  });
});

describe('a tornado', () => {
  const bars = tornado({ selfHosted: card, managed }, 0.2);

  it('puts first what matters most: where the audio goes, then the managed price', () => {
    expect(bars.slice(0, 2).map(({ input }) => input)).toEqual(['self-hosted share', 'managed price a minute']);
    for (const [index, bar] of bars.slice(1).entries()) expect(bar.swing).toBeLessThanOrEqual(bars[index]!.swing);
  });

  it('moves one input at a time by the swing', () => {
    const bar = bars.find(({ input }) => input === 'managed price a minute')!;
    expect([bar.low, bar.high]).toEqual([0.016, 0.024]);
    expect(bar.swing).toBeCloseTo(0.3 * 0.008, 9);
  });

  it('never lets a share pass 100 %', () => {
    const [bar] = tornado({ selfHosted: { ...card, share: 0.9 }, managed }, 0.5);
    expect(bar).toMatchObject({ input: 'self-hosted share', high: 1 });
  });

  it('of nothing priced has no bars', () => expect(tornado({}, 0.2)).toEqual([]));
});
