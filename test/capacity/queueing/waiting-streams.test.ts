import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitHistogram } from '../../../src/capacity/queueing/wait-histogram.ts';
import { WaitingStreams } from '../../../src/capacity/queueing/waiting-streams.ts';
import { createRandom } from '../../../src/stats/random.ts';

describe('a waiting line', () => {
  it('serves whoever waits longest, whoever gives up', () => {
    const step = fc.constantFrom('join', 'join', 'join', 'serve', 'give up');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 2000 }), fc.integer(), (steps, seed) => {
        const line = new WaitingStreams();
        const random = createRandom(seed);
        let lastServed = -1;
        let size = 0;
        for (const [atMs, what] of steps.entries()) {
          if (what === 'join') line.join(atMs);
          else if (size === 0) continue;
          else if (what === 'give up') line.giveUp(random);
          else {
            const head = line.headMs();
            const served = line.serve();
            expect(served).toBe(head);
            expect(served).toBeGreaterThan(lastServed);
            lastServed = served;
          }
          size += what === 'join' ? 1 : -1;
          expect(line.size()).toBe(size);
        }
      }),
    );
  });

  it('lets everybody give up alike', () => {
    const survivors = new Map<number, number>();
    const random = createRandom(7);
    for (let run = 0; run < 4000; run++) {
      const line = new WaitingStreams();
      for (let atMs = 0; atMs < 4; atMs++) line.join(atMs);
      for (let left = 0; left < 3; left++) line.giveUp(random);
      const last = line.serve();
      survivors.set(last, (survivors.get(last) ?? 0) + 1);
    }
    // 1,000 each, sd 27.
    for (const count of survivors.values()) expect(Math.abs(count - 1000)).toBeLessThan(4 * 27);
  });
});

describe('a histogram of waits', () => {
  it('is within a percent above of every wait', () => {
    fc.assert(
      fc.property(fc.double({ min: 1.01, max: 1e9, noNaN: true }), (waitMs) => {
        const waits = new WaitHistogram();
        waits.record(waitMs);
        expect(waits.quantileMs(0.5) / waitMs).toBeGreaterThanOrEqual(1 - 1e-9);
        expect(waits.quantileMs(0.5) / waitMs).toBeLessThan(1.0101);
      }),
    );
  });

  it('counts whoever did not wait and whoever never was served', () => {
    const waits = new WaitHistogram();
    for (let i = 0; i < 90; i++) waits.record(0);
    for (let i = 0; i < 4; i++) waits.record(1000);
    for (let i = 0; i < 6; i++) waits.recordNever();
    expect([waits.quantileMs(0.9), waits.quantileMs(0.95)]).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(waits.quantileMs(0.94)).toBeGreaterThanOrEqual(1000);
    expect([waits.count(), waits.never()]).toEqual([100, 6]);
  });

  it('of nobody is 0', () => expect(new WaitHistogram().quantileMs(0.95)).toBe(0));
});
