import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScheduleHash } from '../../../../src/sim/schedule-hash.ts';
import { Reassembly } from '../../../../src/sim/transport/reassembly.ts';
import { Cubic } from '../../../../src/sim/transport/tcp/cubic.ts';
import { Jiffies } from '../../../../src/sim/transport/tcp/jiffies.ts';
import { RttEstimator } from '../../../../src/sim/transport/tcp/rtt.ts';
import { Draws } from '../../../../src/stats/draws.ts';

describe('timers in ticks of 4 ms', () => {
  it.each([
    [0, 2, 12_000],
    [3999, 2, 12_000],
    [4000, 2, 16_000],
    [0, 62, 252_000],
    [0, 63, 256_000],
    [0, 250, 1_024_000],
    [0, 504, 2_048_000],
  ])('set at %i us to %i ticks fire at %i us', (nowUs, ticks, atUs) => {
    expect(new Jiffies(0).fires(nowUs, ticks)).toBe(atUs);
  });

  it('never fire early, whatever the phase', () => {
    fc.assert(
      fc.property(fc.nat(2_048_000), fc.nat(10_000_000), fc.integer({ min: 1, max: 5000 }), (phase, nowUs, ticks) => {
        const waitUs = new Jiffies(phase).fires(nowUs, ticks) - nowUs;
        expect(waitUs).toBeGreaterThanOrEqual(ticks * 4000);
        expect(waitUs).toBeLessThanOrEqual(ticks * 4000 * 1.15 + 8000);
      }),
    );
  });
});

describe('the timeout of a sender', () => {
  it('is the round trip and 200 ms while the round trip does not vary', () => {
    const rtt = new RttEstimator(200_000);
    for (let sample = 1; sample < 100; sample++) rtt.sample(50_000, sample, sample + 1);
    expect(rtt.rtoUs).toBe(252_000);
  });

  it('grows with variation, and falls back slowly', () => {
    const rtt = new RttEstimator(200_000);
    for (let sample = 1; sample < 40; sample++) rtt.sample(sample % 2 === 0 ? 50_000 : 450_000, sample, sample + 1);
    const wild = rtt.rtoUs;
    expect(wild).toBeGreaterThan(700_000);
    for (let sample = 40; sample < 60; sample++) rtt.sample(50_000, sample, sample + 1);
    expect(rtt.rtoUs).toBeLessThan(wild);
    expect(rtt.rtoUs).toBeGreaterThan(252_000);
  });

  it('doubles when it fires, up to two minutes', () => {
    const rtt = new RttEstimator(200_000);
    for (let time = 0; time < 20; time++) rtt.backOff();
    expect(rtt.rtoUs).toBe(120_000_000);
  });
});

describe('CUBIC', () => {
  it('falls to seven tenths, never below two', () => {
    expect([10, 5, 2].map((cwnd) => new Cubic().thresholdAfterLoss(cwnd))).toEqual([7, 3, 2]);
  });

  it('is soon back where it lost, and slower from there', () => {
    const cubic = new Cubic();
    let cwnd = cubic.thresholdAfterLoss(100);
    let credit = 0;
    const at: number[] = [];
    for (let tick = 0; tick < 250 * 20; tick += 25) {
      for (let ack = 0; ack < cwnd; ack++) {
        const needed = cubic.acksForOne(cwnd, 1, tick + Math.floor((25 * ack) / cwnd));
        credit++;
        if (credit >= needed) {
          cwnd++;
          credit = 0;
        }
      }
      at.push(cwnd);
    }
    const reach = (size: number) => at.findIndex((value) => value >= size) / 10;
    expect(reach(95)).toBeLessThan(5);
    expect(reach(110)).toBeGreaterThan(reach(95));
  });
});

describe('what lies beyond a gap', () => {
  it('is told most recent first, four ranges at most', () => {
    const held = new Reassembly();
    for (const start of [10, 30, 50, 70, 90]) held.add(start, start + 10);
    expect(held.blocks).toEqual([90, 100, 70, 80, 50, 60, 30, 40]);
    held.add(40, 50);
    expect(held.blocks.slice(0, 2)).toEqual([30, 60]);
  });

  it('is put together whatever order it comes in', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(20).keys()], { minLength: 20 }), (order) => {
        const held = new Reassembly();
        let received = 0;
        for (const piece of order) {
          if (piece * 10 === received) received = held.advance(received + 10);
          else held.add(piece * 10, piece * 10 + 10);
        }
        expect(received).toBe(200);
        expect(held.ranges).toEqual([]);
      }),
    );
  });

  it('says what came twice', () => {
    const held = new Reassembly();
    held.add(10, 30);
    expect(held.add(15, 25)).toBe(false);
    expect([held.duplicateStart, held.duplicateEnd]).toEqual([15, 25]);
  });
});

describe('draws', () => {
  it('are uniform, and apart for each client, stream and seed', () => {
    const bins = new Array(16).fill(0);
    for (let client = 0; client < 200; client++) {
      const draws = new Draws({ seed: 1, client }, 3);
      for (let draw = 0; draw < 500; draw++) bins[Math.floor(draws.uniform() * 16)]++;
    }
    const chiSquare = bins.reduce((sum, count) => sum + (count - 6250) ** 2 / 6250, 0);
    expect(chiSquare).toBeLessThan(37.7);
    const first = (seed: number, client: number, stream: number) => new Draws({ seed, client }, stream).uniform();
    const values = [first(1, 0, 0), first(2, 0, 0), first(1, 1, 0), first(1, 0, 1), first(2 ** 40, 0, 0)];
    expect(new Set(values).size).toBe(values.length);
  });
});

describe('the hash of a schedule', () => {
  const hashOf = (...deliveries: [number, 'up' | 'down', number, number][]) => {
    const hash = new ScheduleHash();
    for (const delivery of deliveries) hash.add(...delivery);
    return hash.hex();
  };

  it('changes with whose, which way, which message, when, and the order', () => {
    const all = [
      hashOf([0, 'up', 1, 5]),
      hashOf([1, 'up', 1, 5]),
      hashOf([0, 'down', 1, 5]),
      hashOf([0, 'up', 2, 5]),
      hashOf([0, 'up', 1, 6]),
      hashOf([0, 'up', 1, 5 + 2 ** 32]),
      hashOf([0, 'up', 1, 5], [0, 'up', 2, 6]),
      hashOf([0, 'up', 2, 6], [0, 'up', 1, 5]),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(all[0]).toMatch(/^[0-9a-f]{16}$/);
  });
});
