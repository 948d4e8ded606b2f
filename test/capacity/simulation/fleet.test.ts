import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fleet, type PodTimes, type SpotRules } from '../../../src/capacity/simulation/fleet.ts';
import { createRandom } from '../../../src/stats/random.ts';

const times: PodTimes = { streams: 120, startupMs: 120_000, warmupMs: 30_000, warmupShare: 0.5 };
const fleetOf = (initial: number, spot?: SpotRules, more: Partial<PodTimes> = {}) =>
  new Fleet({ ...times, ...more }, spot, initial, createRandom(1));

describe('a fleet', () => {
  it('begins warm', () => {
    const fleet = fleetOf(3);
    expect([fleet.replicas(), fleet.ready(), fleet.capacity()]).toEqual([3, 3, 360]);
  });

  it.each([
    ['ordered, paid for, not ready', 119_000, 3, 360],
    ['ready and warming: half of its streams', 120_000, 4, 420],
    ['warm', 150_000, 4, 480],
  ])('a new pod is %s', (_, atMs, ready, capacity) => {
    const fleet = fleetOf(3);
    fleet.scaleTo(4, 0);
    fleet.advance(atMs);
    expect([fleet.ready(), fleet.capacity(), fleet.paid().onDemand]).toEqual([ready, capacity, 4]);
  });

  it('takes back orders that are not ready before pods that serve', () => {
    const fleet = fleetOf(3);
    fleet.scaleTo(5, 0);
    fleet.scaleTo(3, 15_000);
    expect([fleet.replicas(), fleet.ready()]).toEqual([3, 3]);
  });

  it('keeps its counts together under any orders', () => {
    const orders = fc.array(
      fc.record({ to: fc.integer({ min: 0, max: 40 }), afterS: fc.integer({ min: 0, max: 200 }) }),
    );
    fc.assert(
      fc.property(orders, (orders) => {
        const fleet = fleetOf(4);
        let nowMs = 0;
        for (const { to, afterS } of orders) {
          nowMs += afterS * 1000;
          fleet.advance(nowMs);
          fleet.scaleTo(to, nowMs);
          expect(fleet.replicas()).toBe(to);
          expect(fleet.ready()).toBeLessThanOrEqual(to);
          expect(fleet.capacity()).toBeLessThanOrEqual(fleet.ready() * 120);
        }
      }),
    );
  });
});

it('orders, starts and sends away a hundred thousand pods one by one', () => {
  const fleet = fleetOf(0);
  for (let pods = 1; pods <= 100_000; pods++) fleet.scaleTo(pods, 0);
  fleet.advance(150_000);
  expect([fleet.ready(), fleet.capacity()]).toEqual([100_000, 12_000_000]);
  for (let pods = 99_999; pods >= 0; pods--) fleet.scaleTo(pods, 150_000);
  expect([fleet.ready(), fleet.capacity(), fleet.paid().onDemand]).toEqual([0, 0, 0]);
});

describe('spot pods', () => {
  const spot: SpotRules = { share: 0.5, lossPerHour: 0.9, noticeMs: 120_000, fallback: 'on-demand' };

  it('are the share that was asked for', () => {
    expect(fleetOf(20, spot).paid()).toEqual({ onDemand: 10, spot: 10 });
  });

  it('are replaced on demand at the notice, so that a start as long as the notice leaves no gap', () => {
    const fleet = fleetOf(20, spot, { warmupMs: 0 });
    for (let nowMs = 0; nowMs < 4 * 3_600_000; nowMs += 1000) {
      fleet.advance(nowMs);
      fleet.scaleTo(20, nowMs);
      expect(fleet.capacity()).toBeGreaterThanOrEqual(20 * 120 - 120);
    }
    expect(fleet.lost()).toBeGreaterThan(5);
    expect(fleet.paid().onDemand).toBeGreaterThan(10);
  });

  it('leave a gap of a start each time when spot replaces spot', () => {
    const fleet = fleetOf(20, { ...spot, fallback: 'spot' });
    let least = Number.POSITIVE_INFINITY;
    for (let nowMs = 0; nowMs < 4 * 3_600_000; nowMs += 1000) {
      fleet.advance(nowMs);
      least = Math.min(least, fleet.capacity());
      expect(fleet.replicas()).toBe(20);
    }
    expect(least).toBeLessThan(20 * 120);
    expect(fleet.paid().spot).toBe(10);
  });

  it('are counted right whatever is ordered while they are lost', () => {
    for (const fallback of ['spot', 'on-demand'] as const) {
      const fleet = fleetOf(50, { ...spot, fallback }, { warmupMs: 0 });
      for (let nowMs = 0; nowMs < 6 * 3_600_000; nowMs += 30_000) {
        fleet.advance(nowMs);
        fleet.scaleTo(20 + ((nowMs / 30_000) % 7) * 5, nowMs);
        const { onDemand, spot: spots } = fleet.paid();
        expect(onDemand + spots).toBeGreaterThanOrEqual(fleet.replicas());
        expect(fleet.ready()).toBeLessThanOrEqual(fleet.replicas());
        expect(fleet.capacity()).toBeGreaterThanOrEqual(fleet.ready() * 120);
        expect(fleet.capacity()).toBeLessThanOrEqual((onDemand + spots) * 120);
      }
      expect(fleet.lost()).toBeGreaterThan(20);
      fleet.advance(7 * 3_600_000);
      fleet.scaleTo(0, 7 * 3_600_000);
      expect([fleet.replicas(), fleet.ready()]).toEqual([0, 0]);
    }
  });

  it('are lost as often as the chance an hour says', () => {
    const fleet = fleetOf(400, { ...spot, share: 1, lossPerHour: 0.3, noticeMs: 0 });
    for (let nowMs = 0; nowMs <= 3_600_000; nowMs += 10_000) fleet.advance(nowMs);
    // Each loses its life with .3 in the hour and its on-demand replacement none: 120 expected, sd 9.2.
    expect(fleet.lost()).toBeGreaterThan(120 - 4 * 9.2);
    expect(fleet.lost()).toBeLessThan(120 + 4 * 9.2);
  });
});
