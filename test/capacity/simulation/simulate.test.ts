import { describe, expect, it } from 'vitest';
import { userCurve } from '../../../src/capacity/scenario/users.ts';
import { defaultScaleDown, defaultScaleUp } from '../../../src/capacity/simulation/hpa.ts';
import { type RegionInput, type SimulationInput, simulate } from '../../../src/capacity/simulation/simulate.ts';
import { binomialCdf } from '../../../src/stats/distributions.ts';

const hourMs = 3_600_000;
const limits = { min: 1, max: 500, up: defaultScaleUp, down: defaultScaleDown, tolerance: 0.1, syncMs: 15_000 };

const region = (more: Partial<RegionInput> = {}): RegionInput => ({
  name: 'all',
  users: () => 500,
  initialPods: 100,
  scaling: { kind: 'fixed', pods: 100 },
  pinned: false,
  managedPool: 0,
  ...more,
});

const fixed = (pods: number) => region({ initialPods: pods, scaling: { kind: 'fixed', pods } });

const run = (more: Partial<SimulationInput> = {}) =>
  simulate({
    regions: [region()],
    managedLimits: [],
    share: 1,
    spillover: true,
    pod: { streams: 10, startupMs: 120_000, warmupMs: 0, warmupShare: 0 },
    duty: 0.4,
    turnMs: 20_000,
    durationMs: 4 * hourMs,
    seed: 1,
    ...more,
  });

/** E[max(0, X - places)] of X ~ Bin(n, p), from its distribution function. */
function meanExcess(n: number, p: number, places: number): number {
  let sum = 0;
  for (let k = places; k < n; k++) sum += 1 - binomialCdf(k, n, p);
  return sum;
}

describe('the simulation against what is known exactly', () => {
  it('serves users x duty on average when there is room', () => {
    const { podMinutes, degradedMinutes } = run();
    // Bin(500, .4) has sd 11 and forgets in 12 s: 600 independent draws in the run, so the mean has sd .45.
    expect(podMinutes / 240).toBeGreaterThan(200 - 2);
    expect(podMinutes / 240).toBeLessThan(200 + 2);
    expect(degradedMinutes).toBe(0);
  });

  it.each([18, 20, 21])('%i pods of 10: as many wait on average as the binomial has above them', (pods) => {
    const { degradedMinutes } = run({ regions: [fixed(pods)], durationMs: 12 * hourMs });
    const expected = meanExcess(500, 0.4, pods * 10);
    expect(degradedMinutes / 720 / expected).toBeGreaterThan(0.85);
    expect(degradedMinutes / 720 / expected).toBeLessThan(1.15);
  });

  it('counts turns: users x duty / turn begin each second', () => {
    const { streams } = run();
    expect(streams / ((500 * 0.4 * 4 * 3600) / 20)).toBeCloseTo(1, 1);
  });

  it('users who always speak are always served', () => {
    const { podMinutes } = run({ duty: 1, durationMs: 600_000 });
    expect(podMinutes).toBeCloseTo(5000, 0);
  });

  it('pays for every pod for all of the time', () => {
    expect(run({ regions: [fixed(21)] }).onDemandPodHours).toBeCloseTo(84, 9);
  });
});

describe('learners who are played in groups', () => {
  const grouped = (group: number, pods: number) =>
    run({ regions: [{ ...fixed(pods), users: () => 20_000, group }], durationMs: hourMs / 4 });

  it('speak as much as they do alone, with a tenth of the events', () => {
    const [alone, together] = [grouped(1, 900), grouped(10, 900)];
    expect(together.podMinutes / alone.podMinutes).toBeGreaterThan(0.98);
    expect(together.podMinutes / alone.podMinutes).toBeLessThan(1.02);
    expect(together.streams / alone.streams).toBeCloseTo(1, 1);
    expect(together.events / alone.events).toBeCloseTo(0.1, 2);
    expect(together.degradedMinutes).toBe(0);
  });

  it('wait as groups of a class a tenth as large would', () => {
    const expected = 10 * meanExcess(2000, 0.4, 800);
    const { degradedMinutes } = grouped(10, 800);
    expect(degradedMinutes / 15 / expected).toBeGreaterThan(0.6);
    expect(degradedMinutes / 15 / expected).toBeLessThan(1.4);
    expect(grouped(1, 800).degradedMinutes).toBeLessThan(degradedMinutes);
  });

  it('never hold more than the pods and the provider have, and cross regions with others', () => {
    const { timeline, podMinutes, managedMinutes, degradedMinutes } = run({
      regions: [
        { ...fixed(20), users: () => 1000, group: 7 },
        { ...fixed(30), users: () => 400 },
      ],
      managedLimits: [40],
      durationMs: hourMs,
    });
    for (const { in_pods, managed, waiting, wanted } of timeline) {
      expect(in_pods).toBeLessThanOrEqual(500);
      expect(managed).toBeLessThanOrEqual(40);
      expect(in_pods + managed + waiting).toBe(wanted);
    }
    expect((podMinutes + managedMinutes + degradedMinutes) / 60).toBeGreaterThan(0.95 * 560);
    expect((podMinutes + managedMinutes) / 60).toBeGreaterThan(500);
  });
});

describe('the first second', () => {
  const noWindow = { ...limits, down: { ...defaultScaleDown, stabilizationMs: 0 } };

  it.each([
    ['hpa', { kind: 'hpa', target: 0.7, ...noWindow }],
    ['keda', { kind: 'keda', targetStreams: 7, pollingMs: 30_000, cooldownMs: 300_000, ...noWindow }],
  ] as const)('%s finds everybody there, and sends no pod away for want of people', (_, scaling) => {
    const { timeline, degradedMinutes } = run({
      regions: [region({ initialPods: 30, scaling })],
      durationMs: 600_000,
    });
    expect(timeline[0]!.pods).toBeGreaterThan(25);
    expect(degradedMinutes).toBe(0);
  });
});

describe('the simulated spike', () => {
  const spike = userCurve(500, { atMs: 300_000, factor: 3, rampMs: 60_000, durationMs: 900_000 });
  const scaled = (kind: 'hpa' | 'keda') =>
    region({
      users: spike,
      initialPods: 26,
      scaling:
        kind === 'hpa'
          ? { kind, target: 0.77, ...limits }
          : { kind, targetStreams: 10, pollingMs: 30_000, cooldownMs: 300_000, ...limits },
    });

  it('is the same to the last number with the same seed, and another with another', () => {
    const same = () => run({ regions: [scaled('hpa')], durationMs: 2_000_000 });
    expect(same()).toEqual(same());
    expect(run({ regions: [scaled('hpa')], durationMs: 2_000_000, seed: 2 })).not.toEqual(same());
  });

  it('leaves learners waiting until pods have started, then none', () => {
    const { timeline, peakPods } = run({ regions: [scaled('hpa')], durationMs: 2_100_000 });
    const waitingAt = (ms: number) => timeline.find((point) => point.at_ms >= ms)!.waiting;
    expect(waitingAt(200_000)).toBe(0);
    expect(waitingAt(420_000)).toBeGreaterThan(200);
    expect(waitingAt(1_100_000)).toBe(0);
    expect(peakPods).toBeGreaterThan(60);
  });

  it('hurts less when pods start sooner', () => {
    const degraded = (startupMs: number) =>
      run({
        regions: [scaled('hpa')],
        pod: { streams: 10, startupMs, warmupMs: 0, warmupShare: 0 },
        durationMs: 2_100_000,
      }).degradedMinutes;
    expect(degraded(10_000)).toBeLessThan(degraded(60_000));
    expect(degraded(60_000)).toBeLessThan(degraded(240_000));
  });

  it('is over sooner when the scaler sees the queue, not only full pods', () => {
    const degraded = (kind: 'hpa' | 'keda') => run({ regions: [scaled(kind)], durationMs: 2_100_000 }).degradedMinutes;
    expect(degraded('keda')).toBeLessThan(degraded('hpa') * 0.8);
  });

  it('is cushioned by managed supply, as far as its limit goes', () => {
    const degraded = (limit: number) =>
      run({ regions: [scaled('hpa')], managedLimits: [limit], durationMs: 2_100_000 }).degradedMinutes;
    expect(degraded(100)).toBeLessThan(degraded(0));
    expect(degraded(1000)).toBe(0);
  });

  it('is worse when the GPU is slow to warm up', () => {
    const degraded = (warmupMs: number) =>
      run({
        regions: [scaled('hpa')],
        pod: { streams: 10, startupMs: 60_000, warmupMs, warmupShare: 0.25 },
        durationMs: 2_100_000,
      }).degradedMinutes;
    expect(degraded(0)).toBeLessThan(degraded(120_000));
  });
});

describe('regions and spot', () => {
  const halves = (pinned: boolean) => [
    region({ name: 'full', users: () => 300, initialPods: 6, scaling: { kind: 'fixed', pods: 6 }, pinned }),
    region({ name: 'roomy', users: () => 100, initialPods: 20, scaling: { kind: 'fixed', pods: 20 }, pinned }),
  ];

  it('a full region uses the room of the other', () => {
    expect(run({ regions: halves(false) }).degradedMinutes).toBe(0);
  });

  it('unless it is pinned', () => {
    const { regions } = run({ regions: halves(true) });
    expect(regions[0]!.degradedMinutes / 240).toBeGreaterThan(55);
    expect(regions[1]!.degradedMinutes).toBe(0);
  });

  it('losing spot pods moves streams; on-demand pods ordered at the notice keep them served', () => {
    const spot = { share: 1, lossPerHour: 0.5, noticeMs: 120_000, fallback: 'on-demand' as const };
    const { spotLost, degradedMinutes } = run({ regions: [fixed(24)], spot });
    expect(spotLost).toBeGreaterThan(10);
    expect(degradedMinutes).toBeLessThan(240);
  });

  it('with no time to react they wait for a pod to start', () => {
    const spot = { share: 1, lossPerHour: 0.5, noticeMs: 0, fallback: 'spot' as const };
    const { degradedMinutes, movedOut } = run({ regions: [fixed(21)], spot });
    expect(movedOut).toBeGreaterThan(0);
    expect(degradedMinutes).toBeGreaterThan(run({ regions: [fixed(21)] }).degradedMinutes);
  });
});
