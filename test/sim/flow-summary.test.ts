import { describe, expect, it } from 'vitest';
import { type FlowSettings, summariseFlow } from '../../src/sim/flow-summary.ts';
import type { DirectionResult, FlowResult } from '../../src/sim/run-flow.ts';
import { symmetric } from '../kit/profiles.ts';

const facts: FlowSettings = { seed: 3, clients: 1, duration_ms: 10_000, warmup_ms: 0, traffic: 'speech' };

describe('the summary of a run', () => {
  it('has nearest-rank percentiles, and shares above its limits', () => {
    const ms = Array.from({ length: 1000 }, (_, index) => index + 1);
    expect(summary(flow(ms.reverse()))).toMatchObject({
      frames: 1000,
      mean_ms: 500.5,
      p50_ms: 500,
      p95_ms: 950,
      p99_ms: 990,
      p999_ms: 999,
      max_ms: 1000,
      over_400ms: 0.6,
      over_1s: 0,
    });
  });

  it('has nulls where nothing was written', () => {
    const { mean_ms, p50_ms, over_1s } = summary(flow([]));
    expect([mean_ms, p50_ms, over_1s]).toEqual([null, null, null]);
  });

  it.each([
    ['nothing arrived', [], 10, 0, { p50_ms: null, over_400ms: 1, over_1s: 1 }],
    ['most never arrived', Array(100).fill(35), 900, 0, { p50_ms: null, over_400ms: 0.9, over_1s: 0.9 }],
    ['one in ten was lost', Array(90).fill(35), 0, 10, { p50_ms: 35, p95_ms: null, over_400ms: 0.1, over_1s: 0.1 }],
    ['few did either', Array(94).fill(35), 3, 3, { p50_ms: 35, p95_ms: null, over_400ms: 0.06 }],
    ['one of many', Array(999).fill(35), 1, 0, { p99_ms: 35, p999_ms: 35, max_ms: null, over_1s: 0.001 }],
    ['some were late', [...Array(50).fill(35), ...Array(40).fill(500)], 0, 10, { over_400ms: 0.5, over_1s: 0.1 }],
  ])('counts what never arrived as later than anything: %s', (_, ms, undelivered, lost, expected) => {
    const clients = [{ delivered: ms.length, undelivered }];
    const written = ms.length + undelivered + lost;
    const one = summary({ ...flow(ms), written, undelivered, lost, clients });
    expect(one).toMatchObject({ frames: ms.length, undelivered, lost, mean_ms: null, max_ms: null, ...expected });
  });

  it('calls a connection saturated over which nothing arrives', () => {
    const clients = [{ delivered: 0, undelivered: 10 }];
    expect(summary({ ...flow([]), written: 10, undelivered: 10, clients }).saturated).toBe(true);
  });

  it.each([
    ['half of the frames wait for a second', [...Array(51).fill(1100), ...Array(49).fill(50)], 0, true],
    ['fewer than half do', [...Array(49).fill(1100), ...Array(51).fill(50)], 0, false],
    ['most never arrived', Array(40).fill(50), 60, true],
    ['one stall at the end held a few', Array(400).fill(50), 150, false],
    ['the path itself is a second long', Array(100).fill(1050), 0, true],
  ])('saturated: %s', (_, ms, undelivered, saturated) => {
    const clients = [{ delivered: ms.length, undelivered }];
    expect(summary({ ...flow(ms), undelivered, clients })).toMatchObject({
      saturated,
      saturated_clients: saturated ? 1 : 0,
    });
  });

  it('saturated: one client of two, which a common median would hide', () => {
    const both = [...Array(60).fill(50), ...Array(40).fill(1100)];
    const clients = [
      { delivered: 60, undelivered: 2 },
      { delivered: 40, undelivered: 5 },
    ];
    const up = { ...flow(both), undelivered: 7, clients };
    expect(summary(up)).toMatchObject({ saturated: true, saturated_clients: 1, p50_ms: 50 });
  });

  it('a long path is not a full one', () => {
    const result = whole(flow(Array(100).fill(1550)));
    expect(summariseFlow(symmetric(1500), result, facts).saturated).toBe(false);
  });

  it.each([
    ['tcp', false],
    ['tcp-tls', false],
    ['quic-stream', true],
    ['quic-datagram', true],
  ] as const)('%s is modelled: %s', (transport, modelled) => {
    const profile = symmetric(25, undefined, {}, { transport });
    expect(summariseFlow(profile, whole(flow([1])), facts)).toMatchObject({ transport, modelled, seed: 3, hash: 'ff' });
  });

  it('counts connections that never opened as later than any', () => {
    const result = { ...whole(flow([1])), connectUs: [150_000, Number.POSITIVE_INFINITY, 1_150_000] };
    expect(summariseFlow(symmetric(25), result, facts).connect_ms).toEqual({
      attempted: 3,
      opened: 2,
      mean: null,
      p50: 1150,
      p95: null,
      p99: null,
      max: null,
    });
  });
});

function summary(up: DirectionResult) {
  return summariseFlow(symmetric(25), whole(up), facts).up;
}

function whole(up: DirectionResult): FlowResult {
  return { up, down: flow([]), connectUs: [75_000], hash: 'ff' };
}

function flow(ms: readonly number[]): DirectionResult {
  return {
    written: ms.length,
    latenciesUs: Float64Array.from(ms, (one) => one * 1000),
    sentUs: Float64Array.from(ms, (_, index) => index * 20_000),
    lost: 0,
    undelivered: 0,
    clients: [{ delivered: ms.length, undelivered: 0 }],
    counters: { packets: 9, retransmissions: 2, timeouts: 1, dropped: 3, bytesWritten: 0, bytesDelivered: 0 },
  };
}
