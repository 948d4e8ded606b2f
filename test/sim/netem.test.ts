import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DeviceNetwork } from '../../src/sim/network.ts';
import type { NetworkProfile } from '../../src/sim/profile/profile.ts';
import { type FlowOptions, simulateFlow } from '../../src/sim/run-flow.ts';
import { iid, symmetric } from '../kit/profiles.ts';

/** What Linux did, measured: see `source` in the file. Quantiles at 0.025, 0.05, ... 0.975. */
type Point = {
  name: string;
  profile: string;
  traffic: 'up_only' | 'echo';
  direction: 'up' | 'down';
  quantilesMs: number[];
} & Record<'meanMs' | 'p50Ms' | 'p95Ms' | 'p99Ms' | 'p999Ms', number>;

const golden: { points: Point[] } = JSON.parse(readFileSync(new URL('./golden/netem.json', import.meta.url), 'utf8'));

const profiles: Record<string, NetworkProfile> = {
  rtt50_loss0: symmetric(25),
  rtt50_iid1: symmetric(25, iid(0.01)),
  rtt100_iid2: symmetric(50, iid(0.02)),
  rtt30_iid3: symmetric(15, iid(0.03)),
  rtt110_iid2: symmetric(55, iid(0.02)),
  rtt150_iid1: symmetric(75, iid(0.01)),
  rtt60_rate320k: symmetric(30, iid(0.005), { rateBitsPerSecond: 320_000, queuePackets: 40 }),
};
/** netem's `gemodel 1% 32% 100% 0%`. */
const bursts = symmetric(50, {
  model: 'gilbert-elliott',
  clock: 'packet',
  p: 0.01,
  r: 0.32,
  lossGood: 0,
  lossBad: 1,
});
const run = { seed: 1, durationUs: 500_000_000, clients: 10 };

describe('a stable network delays frames as Linux does', () => {
  it.each(golden.points)('$name, $direction', (point) => {
    const options: FlowOptions = point.traffic === 'echo' ? { ...run, down: { echoBytes: 644 } } : run;
    const ms = sortedMs(simulateFlow(profiles[point.profile]!, options)[point.direction].latenciesUs);
    const mean = ms.reduce((sum, value) => sum + value, 0) / ms.length;
    expect(Math.abs(quantile(ms, 0.5) - point.p50Ms)).toBeLessThanOrEqual(1);
    expect(Math.abs(mean / point.meanMs - 1)).toBeLessThanOrEqual(0.05);
    expect(Math.abs(quantile(ms, 0.95) - point.p95Ms)).toBeLessThanOrEqual(Math.max(10, 0.1 * point.p95Ms));
    expect(Math.abs(quantile(ms, 0.99) - point.p99Ms)).toBeLessThanOrEqual(Math.max(10, 0.1 * point.p99Ms));
    expect(Math.abs(quantile(ms, 0.999) / point.p999Ms - 1)).toBeLessThanOrEqual(0.2);
    expect(distance(ms, point.quantilesMs)).toBeLessThanOrEqual(0.05);
  });
});

describe('a path that TCP barely fills keeps frames waiting as Linux does', () => {
  const { up } = simulateFlow(symmetric(100, iid(0.02)), { seed: 1, durationUs: 200_000_000, clients: 60 });

  it.each([
    [400, 0.0496],
    [1000, 0.0088],
  ])('RTT 200 ms, 2 %% loss, over %i ms: a share of %f', (limitMs, share) => {
    const over = up.latenciesUs.filter((us) => us > limitMs * 1000).length / up.latenciesUs.length;
    expect(Math.abs(over / share - 1)).toBeLessThanOrEqual(0.25);
  });

  it('with as many retransmissions a thousand frames', () => {
    const frames = up.written * (200 / 195);
    expect(Math.abs((1000 * up.counters.retransmissions) / frames / 15.8 - 1)).toBeLessThanOrEqual(0.1);
  });
});

describe('a network that loses in bursts stalls frames as often as Linux does', () => {
  const { up } = simulateFlow(bursts, { seed: 1, durationUs: 120_000_000, clients: 100 });

  it.each([
    [400, 0.103],
    [1000, 0.0534],
  ])('over %i ms: a share of %f', (limitMs, share) => {
    const over = up.latenciesUs.filter((us) => us > limitMs * 1000).length / up.latenciesUs.length;
    expect(Math.abs(over / share - 1)).toBeLessThanOrEqual(0.25);
  });

  it('with as many retransmissions and timeouts a thousand frames', () => {
    const frames = up.written * (120 / 115);
    expect(Math.abs((1000 * up.counters.retransmissions) / frames / 19.4 - 1)).toBeLessThanOrEqual(0.3);
    expect(Math.abs((1000 * up.counters.timeouts) / frames / 2.04 - 1)).toBeLessThanOrEqual(0.3);
  });
});

describe('a gap of the uplink ends when the clock of retransmissions says so, not when the gap does', () => {
  it.each([
    [310, 706.5],
    [3010, 4813.5],
  ])('%i ms: the worst frame has a median of %f ms at a round trip of 60 ms', (gapMs, expectedMs) => {
    const worst = Array.from({ length: 60 }, (_, client) => worstAfterGap(gapMs, client)).sort((a, b) => a - b);
    expect(Math.abs(worst[30]! / expectedMs - 1)).toBeLessThanOrEqual(0.15);
  });
});

describe('a SYN that is lost costs a second', () => {
  const times = Array.from({ length: 4000 }, (_, client) => synMs(client)).sort((a, b) => a - b);

  it('at 1 % loss each way and a round trip of 50 ms: p50 50 ms, p99 1,067 ms, 1.9 % over a second', () => {
    expect(quantile(times, 0.5)).toBe(50);
    expect(Math.abs(quantile(times, 0.99) - 1067)).toBeLessThanOrEqual(17);
    expect(Math.abs(times.filter((ms) => ms >= 1000).length / times.length - 0.0199)).toBeLessThan(0.006);
  });
});

function worstAfterGap(gapMs: number, client: number): number {
  const network = new DeviceNetwork(
    symmetric(
      30,
      undefined,
      {},
      {
        events: [{ kind: 'outage', when: { atUs: 10e6 }, gapUs: gapMs * 1000, mode: 'drop', direction: 'up' }],
      },
    ),
    { seed: 1, client },
  );
  const connection = network.connect(0);
  const written: number[] = [];
  let worstUs = 0;
  const sink = {
    opened() {},
    delivered(direction: string, number: number, atUs: number) {
      if (direction === 'up' && number > 250) worstUs = Math.max(worstUs, atUs - written[number]!);
    },
    lost() {},
    closed() {},
    addressChanged() {},
  };
  const phaseUs = Math.round((client * 20_000) / 60);
  for (let atUs = phaseUs; atUs < 20e6; atUs += 20_000) {
    connection.advance(atUs, sink);
    written.push(atUs);
    connection.write('up', 648, atUs);
    if (written.length % 25 === 0) connection.write('down', 62, atUs);
  }
  return worstUs / 1000;
}

function synMs(client: number): number {
  const connection = new DeviceNetwork(symmetric(25, iid(0.01)), { seed: 2, client }).connect(0);
  const sink = { opened() {}, delivered() {}, lost() {}, closed() {}, addressChanged() {} };
  connection.advance(300e6, sink);
  return connection.openingTimes.transportUs / 1000;
}

function sortedMs(us: Float64Array): number[] {
  return Array.from(us.slice().sort(), (value) => value / 1000);
}

function quantile(sorted: readonly number[], rank: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(rank * sorted.length))]!;
}

/** Kolmogorov's distance, with 0.15 ms for what hosts take. */
function distance(sorted: readonly number[], quantiles: readonly number[]): number {
  const below = (ms: number) => countBelow(sorted, ms) / sorted.length;
  return Math.max(
    ...quantiles.map((value, index) => {
      const rank = (index + 1) * 0.025;
      const low = below(value - 0.15);
      const high = below(value + 0.15);
      return Math.max(0, low - rank, rank - high);
    }),
  );
}

function countBelow(sorted: readonly number[], ms: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= ms) low = middle + 1;
    else high = middle;
  }
  return low;
}
