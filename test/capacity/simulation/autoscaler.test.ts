import { describe, expect, it } from 'vitest';
import { createAutoscaler, type FleetView } from '../../../src/capacity/simulation/autoscaler.ts';
import { defaultScaleDown, defaultScaleUp } from '../../../src/capacity/simulation/hpa.ts';

const limits = { max: 50, up: defaultScaleUp, down: defaultScaleDown, tolerance: 0.1, syncMs: 15_000 };
const view = (more: Partial<FleetView>): FleetView => ({
  nowMs: 0,
  pods: 10,
  ready: 10,
  streamsPerPod: 100,
  busy: 1000,
  wanted: 1000,
  ...more,
});

describe('the HPA', () => {
  const hpa = () => createAutoscaler({ kind: 'hpa', min: 1, target: 0.8, ...limits });

  it('orders a quarter more when full pods should be at four fifths', () => {
    expect(hpa()(view({}))).toBe(13);
  });

  it('cannot see who waits: full is full', () => {
    expect(hpa()(view({ wanted: 9000 }))).toBe(hpa()(view({ wanted: 1001 })));
  });

  it('does nothing between its syncs', () => {
    expect(hpa()(view({ nowMs: 14_000 }))).toBe(10);
  });

  it('leaves a workload at zero alone', () => {
    expect(hpa()(view({ nowMs: 15_000, pods: 0, ready: 0, busy: 0 }))).toBe(0);
  });
});

describe('KEDA', () => {
  const keda = (min: number) =>
    createAutoscaler({ kind: 'keda', min, targetStreams: 100, pollingMs: 30_000, cooldownMs: 300_000, ...limits });

  it('sees who waits', () => {
    expect(keda(1)(view({ wanted: 1800 }))).toBe(18);
  });

  it.each([
    ['95 at 100 a pod', 95, 1],
    ['951', 951, 10],
    ['more than it may run', 99_999, 50],
    ['none', 0, 1],
  ])('settles at min(max, ceil(queue / target)): %s', (_, wanted, expected) => {
    const scale = keda(1);
    let pods = 20;
    for (let nowMs = 0; nowMs <= 900_000; nowMs += 15_000) pods = scale(view({ nowMs, pods, ready: pods, wanted }));
    expect(pods).toBe(expected);
  });

  it('wakes from zero at its next poll, not before', () => {
    const asleep = { pods: 0, ready: 0, busy: 0, wanted: 250 };
    const scale = keda(0);
    expect(scale(view({ ...asleep, nowMs: 15_000 }))).toBe(0);
    expect(scale(view({ ...asleep, nowMs: 30_000 }))).toBe(1);
  });

  it('goes to zero only after the cooldown', () => {
    const scale = keda(0);
    scale(view({ pods: 1, ready: 1, nowMs: 0, wanted: 5 }));
    const idle = (nowMs: number) => scale(view({ pods: 1, ready: 1, busy: 0, wanted: 0, nowMs }));
    expect(idle(270_000)).toBe(1);
    expect(idle(300_000)).toBe(0);
  });

  it('keeps one pod when its least is one', () => {
    const scale = keda(1);
    expect(scale(view({ pods: 1, ready: 1, busy: 0, wanted: 0, nowMs: 900_000 }))).toBe(1);
  });
});

it('a fixed fleet stays', () => {
  expect(createAutoscaler({ kind: 'fixed', pods: 7 })(view({ wanted: 9000 }))).toBe(7);
});
