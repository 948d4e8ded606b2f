import { describe, expect, it } from 'vitest';
import { AddedLoss } from '../../../src/sim/impairments/added-loss.ts';
import { Delay, InOrder, JitteredDelay } from '../../../src/sim/impairments/delay.ts';
import { Fading } from '../../../src/sim/impairments/fading.ts';
import { Gaps } from '../../../src/sim/impairments/gaps.ts';
import { GilbertElliott } from '../../../src/sim/impairments/gilbert-elliott.ts';
import { IidLoss } from '../../../src/sim/impairments/iid-loss.ts';
import { type Impairment, LOST } from '../../../src/sim/impairments/impairment.ts';
import { Noop } from '../../../src/sim/impairments/noop.ts';
import { Outage } from '../../../src/sim/impairments/outage.ts';
import { RateQueue } from '../../../src/sim/impairments/rate-queue.ts';
import { LinkTrace } from '../../../src/sim/impairments/trace.ts';
import type { Jitter } from '../../../src/sim/profile/profile.ts';
import { Draws } from '../../../src/stats/draws.ts';

const key = { seed: 1, client: 0 };
const draws = (stream = 0) => new Draws(key, stream);
/** A packet of 700 bytes each 20 ms. */
const spaced = (count: number) => Array.from({ length: count }, (_, index) => index * 20_000);
const through = (part: Impairment, times: readonly number[], bytes = 700) => times.map((at) => part.pass(at, bytes));
const shareLost = (times: readonly number[]) => times.filter((at) => at === LOST).length / times.length;

describe('what an impairment does to packets', () => {
  it('nothing', () => expect(through(new Noop(), [0, 5, 9])).toEqual([0, 5, 9]));

  it('delays each', () => expect(through(new Delay(30), [0, 5, 9])).toEqual([30, 35, 39]));

  it('keeps them in order', () => expect(through(new InOrder(), [9, 5, 12])).toEqual([9, 9, 12]));

  it('loses each with the same chance', () => {
    expect(shareLost(through(new IidLoss(0.02, draws()), spaced(100_000)))).toBeCloseTo(0.02, 2);
  });

  it('sends them one after another at the rate of the link', () => {
    expect(through(new RateQueue(8_000_000, 10), [0, 0, 0, 5000], 1000)).toEqual([1000, 2000, 3000, 6000]);
  });

  it('drops what finds the queue full, and takes more once the link has sent', () => {
    const link = new RateQueue(8_000_000, 2);
    expect(through(link, [0, 0, 0, 1000], 1000)).toEqual([1000, 2000, LOST, 3000]);
  });
});

describe('loss in bursts', () => {
  const chain = { model: 'gilbert-elliott', clock: 'packet', p: 0.01, r: 0.32, lossGood: 0, lossBad: 1 } as const;

  it('clocked by packets: a share of p / (p + r) in runs of 1 / r, however far apart they are', () => {
    for (const spacing of [1, 1_000_000]) {
      const times = through(
        new GilbertElliott(chain, draws()),
        spaced(200_000).map((at) => at * spacing),
      );
      expect(shareLost(times)).toBeCloseTo(0.01 / 0.33, 2);
      expect(meanRun(times)).toBeCloseTo(1 / 0.32, 0);
    }
  });

  const dwells = {
    model: 'gilbert-elliott',
    clock: 'time',
    goodUs: 8e6,
    badUs: 120_000,
    lossGood: 0,
    lossBad: 1,
  } as const;

  it('clocked by time: the share of time that is bad, in runs as long as a bad spell', () => {
    const times = through(new Fading(dwells, draws(1), draws(2)), spaced(400_000));
    expect(shareLost(times)).toBeCloseTo(120 / 8120, 2);
    expect(meanRun(times) * 20).toBeGreaterThan(110);
    expect(meanRun(times) * 20).toBeLessThan(150);
  });

  it('clocked by time: a spell ends while nothing is sent', () => {
    const fading = new Fading({ ...dwells, goodUs: 1e6, badUs: 1e6 }, draws(1), draws(2));
    const far = through(
      fading,
      Array.from({ length: 20_000 }, (_, index) => index * 60e6),
    );
    expect(shareLost(far)).toBeCloseTo(0.5, 1);
    expect(meanRun(far)).toBeLessThan(2.2);
  });
});

describe('jitter', () => {
  const jitter = (distribution: Jitter['distribution'], correlation = 0): Jitter => ({
    valueUs: 10_000,
    distribution,
    correlation,
  });
  const delays = (value: Jitter) => {
    const part = new JitteredDelay(500_000, value, draws());
    return spaced(50_000).map((at) => part.pass(at) - at);
  };

  it.each([
    ['uniform', 10_000 / Math.sqrt(3)],
    ['normal', 10_000],
    ['pareto', 11_547],
  ] as const)('%s: keeps its mean and a deviation of %f us, whatever the correlation', (distribution, deviation) => {
    for (const correlation of [0, 0.25, 0.9]) {
      const { mean, sd } = moments(delays(jitter(distribution, correlation)));
      expect(Math.abs(mean - 500_000)).toBeLessThan(600);
      expect(Math.abs(sd / deviation - 1)).toBeLessThan(0.12);
    }
  });

  it('hangs together with the draw before as much as it says', () => {
    const values = delays(jitter('normal', 0.5));
    const { mean, sd } = moments(values);
    const products = values.slice(1).map((value, index) => (value - mean) * (values[index]! - mean));
    expect(moments(products).mean / sd ** 2).toBeCloseTo(0.5, 1);
  });

  it('never makes a packet leave before it came', () => {
    const part = new JitteredDelay(1000, jitter('normal'), draws());
    expect(spaced(1000).every((at) => part.pass(at) >= at)).toBe(true);
  });
});

describe('a recorded link', () => {
  it('carries 1,500 bytes at each moment; small packets share one, a large one takes two', () => {
    const link = new LinkTrace([1, 2, 5], 100);
    expect([700, 700, 700, 1500, 100].map((bytes) => link.pass(0, bytes))).toEqual([1000, 1000, 2000, 5000, 5000]);
  });

  it('starts again after its last moment, and what finds nothing is lost', () => {
    const link = new LinkTrace([10, 20], 100);
    expect(through(link, [0, 15_000, 100_000, 1_000_005], 1500)).toEqual([10_000, 20_000, 100_000, 1_010_000]);
  });

  it('drops what finds the queue full', () => {
    expect(through(new LinkTrace([10, 20, 30], 2), [0, 0, 0], 1500)).toEqual([10_000, 20_000, LOST]);
  });
});

describe('a gap', () => {
  const outage = (mode: 'drop' | 'buffer') =>
    new Outage(new Gaps([{ kind: 'outage', when: { atUs: 100 }, gapUs: 50, mode }], 'up', key));

  it('drops what comes in it', () => {
    expect(through(outage('drop'), [99, 100, 149, 150])).toEqual([99, LOST, LOST, 150]);
  });

  it('or keeps it until it ends', () => {
    expect(through(outage('buffer'), [99, 100, 149, 150])).toEqual([99, 150, 150, 150]);
  });

  it('comes again, about as often as it says', () => {
    const when = { everyUs: 1_000_000, spreadUs: 300_000 };
    const gaps = new Outage(new Gaps([{ kind: 'handover', when, gapUs: 20_000, mode: 'drop' }], 'up', key));
    expect(shareLost(through(gaps, spaced(100_000)))).toBeCloseTo(0.02, 2);
  });

  it('is cut by hand in a profile that has none', () => {
    const gaps = new Gaps([], 'up', key);
    gaps.cut(50, 10, 'drop');
    expect(through(new Outage(gaps), [49, 50, 59, 60])).toEqual([49, LOST, LOST, 60]);
  });
});

describe('loss that somebody adds', () => {
  const untilUs = 1_000_000_000;
  const added = (share: number) => {
    const loss = new AddedLoss(draws());
    loss.begin(share, untilUs);
    return loss;
  };
  const inside = spaced(100_000).filter((at) => at < untilUs).length;

  it('loses that share in its time, and nothing after it', () => {
    const lost = through(added(0.2), spaced(100_000));
    expect(shareLost(lost.slice(0, inside))).toBeCloseTo(0.2, 2);
    expect(shareLost(lost.slice(inside))).toBe(0);
  });

  it('of all loses all', () => {
    expect(through(added(1), [0, untilUs - 1, untilUs])).toEqual([LOST, LOST, untilUs]);
  });

  it('of spells that overlap is that of each by itself', () => {
    const both = added(0.5);
    both.begin(0.5, 2 * untilUs);
    const lost = through(both, spaced(100_000));
    expect(shareLost(lost.slice(0, inside))).toBeCloseTo(0.75, 2);
    expect(shareLost(lost.slice(inside))).toBeCloseTo(0.5, 2);
  });
});

function meanRun(times: readonly number[]): number {
  const runs = times.filter((at, index) => at === LOST && times[index - 1] !== LOST).length;
  return times.filter((at) => at === LOST).length / runs;
}

function moments(values: readonly number[]): { mean: number; sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, sd: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}
