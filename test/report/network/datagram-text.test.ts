import { describe, expect, it } from 'vitest';
import type { DatagramSummary, DatagramTraffic } from '../../../src/proxy/datagram-meter.ts';
import { datagramLine, renderDatagramSummary } from '../../../src/report/network/datagram-text.ts';

const nothing: DatagramTraffic = {
  ...{ datagrams: 0, bytes: 0, passed: 0, lost: 0, queue_drops: 0, overflow: 0 },
  ...{ p50_ms: null, p95_ms: null, p99_ms: null, max_ms: null },
};
const up = { ...nothing, datagrams: 50, bytes: 35_000, passed: 47, lost: 1, queue_drops: 2, p50_ms: 35.5, max_ms: 120 };

describe('what a proxy of UDP says', () => {
  it.each([
    [1, nothing, '12 s  1 client  up 280 kbit/s, 3 of 50 lost, p50 35.5 ms worst 120 ms  down nothing'],
    [
      2,
      { ...nothing, datagrams: 1, bytes: 125, lost: 1 },
      '12 s  2 clients  up 280 kbit/s, 3 of 50 lost, p50 35.5 ms worst 120 ms  down 1 kbit/s, 1 of 1 lost',
    ],
  ])('each second (%i open)', (open, down, line) => {
    expect(datagramLine({ elapsedMs: 12_000, spanMs: 1000, open, up, down })).toBe(line);
  });

  it('nothing in a second in which nobody said anything', () => {
    expect(datagramLine({ elapsedMs: 1, spanMs: 1, open: 3, up: nothing, down: nothing })).toBeUndefined();
  });

  it('at the end, with what went wrong', () => {
    const summary: DatagramSummary = {
      version: 1,
      protocol: 'udp',
      profile: 'LTE',
      source: 'WebPageTest',
      seed: 1,
      elapsed_ms: 10_000,
      clients: { seen: 3, open: 1, idle: 2, refused: 4, moved: 5, unreachable: 6 },
      up,
      down: nothing,
      lateness: { p50_ms: 0.5, p99_ms: 1, max_ms: 2 },
    };
    const text = renderDatagramSummary(summary);
    expect(text).toContain('LTE for 10.0 s: 3 clients, 2 of them fell silent, 5 changes of address');
    expect(text).toContain('4 datagrams of clients for whom there was no place');
    expect(text).toContain('the upstream could not be reached 6 times');
    expect(text).toMatch(/\nup +35000 +50 +47 +1 +2 +0 +35\.5 ms +- +- +120 ms\n/);
  });
});
