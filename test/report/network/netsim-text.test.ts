import { describe, expect, it } from 'vitest';
import { renderNetsim } from '../../../src/report/network/netsim-text.ts';
import { eventWords, pathWords, transportWords } from '../../../src/report/network/network-words.ts';
import { logScale } from '../../../src/report/terminal/log-scale.ts';
import { createPaint } from '../../../src/report/terminal/paint.ts';
import { renderPercentilePlot } from '../../../src/report/terminal/percentile-plot.ts';
import { renderTimePlot } from '../../../src/report/terminal/time-plot.ts';
import { summariseFlow } from '../../../src/sim/flow-summary.ts';
import type { Loss, NetworkEvent } from '../../../src/sim/profile/profile.ts';
import { simulateFlow } from '../../../src/sim/run-flow.ts';
import { iid, symmetric } from '../../kit/profiles.ts';

const plain = createPaint(false);

describe('a network in words', () => {
  it.each([
    [symmetric(25), '25 ms, any rate, no loss'],
    [symmetric(0.5, iid(0.015)), '0.5 ms, any rate, 1.5 % lost'],
    [
      symmetric(30, undefined, { rateBitsPerSecond: 320_000, queuePackets: 40, reorder: true }),
      '30 ms, 320 kbit/s, queue of 40 packets, no loss, may reorder',
    ],
    [
      symmetric(30, undefined, { jitter: { valueUs: 10_000, distribution: 'normal', correlation: 0.25 } }),
      '30 ms ± 10 ms (normal, correlated 25 %), any rate, no loss',
    ],
    [
      symmetric(50, { model: 'gilbert-elliott', clock: 'packet', p: 0.01, r: 0.32, lossBad: 1, lossGood: 0 }),
      '50 ms, any rate, 3.03 % lost in bursts of 3.1 packets (gemodel 1 % 32 % 100 % 0 %)',
    ],
    [symmetric(0, gemodel(0, 0, 1, 0)), '0 ms, any rate, no loss (gemodel 0 % 0 % 100 % 0 %)'],
    [symmetric(0, gemodel(0, 0.3, 1, 0.02)), '0 ms, any rate, 2 % lost (gemodel 0 % 30 % 100 % 2 %)'],
    [
      symmetric(0, gemodel(0.1, 0, 1, 0)),
      '0 ms, any rate, 100 % lost for ever after 10.0 packets (gemodel 10 % 0 % 100 % 0 %)',
    ],
    [symmetric(0, gemodel(0, 0, 0, 0)), '0 ms, any rate, no loss (gemodel 0 % 0 % 0 % 0 %)'],
    [
      symmetric(30, {
        model: 'gilbert-elliott',
        clock: 'time',
        goodUs: 8e6,
        badUs: 120_000,
        lossBad: 0.7,
        lossGood: 0.001,
      }),
      '30 ms, any rate, fades of 120 ms about each 8 s lose 70 %, else 0.1 %',
    ],
    [
      symmetric(30, undefined, { opportunitiesMs: [10, 20, 30, 40] }),
      '30 ms, a trace of 40.0 ms (1.2 Mbit/s on average), queue of 1000 packets, no loss',
    ],
  ])('%#', ({ up }, words) => {
    expect(pathWords(up)).toBe(words);
  });

  it.each<[NetworkEvent, string]>([
    [
      { kind: 'handover', when: { everyUs: 45e6, spreadUs: 15e6 }, gapUs: 80_000, mode: 'buffer' },
      'handover of 80 ms each 45 s ± 15 s, packets wait',
    ],
    [
      { kind: 'outage', when: { atUs: 60e6 }, gapUs: 3e6, mode: 'drop', direction: 'up' },
      'outage of 3 s at 60 s, up only, packets are lost',
    ],
    [
      { kind: 'ip-change', when: { atUs: 120e6 }, oldSocket: 'silent', backoffUs: { first: 500_000, most: 8e6 } },
      'another address at 120 s: the old socket falls silent, a new one within 500 ms to 8 s',
    ],
  ])('%#', (event, words) => {
    expect(eventWords(event)).toBe(words);
  });

  it('QUIC says that it is modelled, an unusual RTO what it is', () => {
    expect(transportWords(symmetric(1, undefined, {}, { transport: 'quic-stream' }))).toBe(
      'quic-stream (modelled, not measured)',
    );
    const quic = { initialWindowBytes: 16_000_000, leastWindowBytes: 33_000 };
    expect(transportWords(symmetric(1, undefined, {}, { transport: 'quic-datagram', quic }))).toBe(
      'quic-datagram (modelled, not measured), a window of 16000000 bytes at first and 33000 at least',
    );
    const slow = symmetric(1, undefined, {}, { tcp: { congestion: 'cubic', rtoMinUs: 1_000_000 } });
    expect(transportWords(slow)).toBe('tcp, least RTO 1 s');
  });
});

it.each([80, 60])('the table of a run is no wider than %i columns', (columns) => {
  const network = symmetric(25, iid(0.01));
  const run = { seed: 1, clients: 1, durationUs: 10_000_000, warmupUs: 5_000_000 };
  const facts = { seed: 1, clients: 1, duration_ms: 10_000, warmup_ms: 5000, traffic: 'speech' } as const;
  const summary = summariseFlow(network, simulateFlow(network, run), facts);
  const text = renderNetsim({ summary, network, columns, plot: undefined }, plain);
  const table = text.split('\n').filter((line) => /p99 {2}|^(up|down) /.test(line));
  expect(table).toHaveLength(3);
  expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(columns);
});

describe('latency over time', () => {
  const plot = (ms: readonly number[]) =>
    renderTimePlot(
      {
        title: 'title',
        atMs: Float64Array.from(ms, (_, index) => index * 20),
        latencyMs: Float64Array.from(ms),
        durationMs: ms.length * 20,
        columns: 40,
      },
      plain,
    );

  it('shows one stalled frame among thousands', () => {
    const lines = plot(Array.from({ length: 4000 }, (_, index) => (index === 1234 ? 2000 : 25)));
    expect(lines[1]).toMatch(/^ +2 s ┤ {12}█ {27}$|^ +\d.* [┤│] {12}█ {27}$/);
    expect(lines.at(-3)).toMatch(/┤█{40}$|│█{40}$/);
    expect(lines.at(-1)).toMatch(/0 +40 s +80 s$/);
  });

  it('marks a stretch of which no frame arrived', () => {
    const lines = renderTimePlot(
      {
        title: 'title',
        atMs: Float64Array.from([0, 900]),
        latencyMs: Float64Array.from([30, 30]),
        durationMs: 1000,
        columns: 10,
      },
      plain,
    );
    expect(lines[0]).toBe('title (×: none of them arrived)');
    expect(lines[8]).toMatch(/[┤│]█×{8}█$/);
  });
});

describe('latency by percentile', () => {
  it('rises to the right, ends where the frames do, and marks the nines that they reach', () => {
    const sortedMs = Float64Array.from({ length: 1000 }, (_, index) => 20 + index ** 2 / 500).sort();
    const lines = renderPercentilePlot([{ name: 'up', sortedMs, dotted: false }], 60, plain);
    expect(lines).toHaveLength(10);
    expect(lines.at(-1)).toMatch(/50 % +90 % +99 % +99\.9 %$|50 % +90 % +99 %$/);
    const first = lines.slice(0, 8).map((line) => line.slice(9).search(/[^ ]/));
    const filled = first.filter((column) => column >= 0);
    expect(filled).toEqual([...filled].sort((a, b) => b - a));
  });
});

describe('a logarithmic axis', () => {
  it.each([
    [25, 95, [20, 50, 100]],
    [25, 2600, [20, 50, 100, 200, 500, 1000, 2000, 5000]],
    [0, 0, [0.1, 0.2, 0.5, 1]],
    [30, 30, [10, 20, 50]],
  ])('from %d to %d ms', (low, high, ticks) => {
    const scale = logScale(low, high);
    expect(scale.ticks).toEqual(ticks);
    expect([scale.at(ticks[0]!), scale.at(ticks.at(-1)!), scale.at(0), scale.at(1e9)]).toEqual([0, 1, 0, 1]);
  });
});

function gemodel(p: number, r: number, lossBad: number, lossGood: number): Loss {
  return { model: 'gilbert-elliott', clock: 'packet', p, r, lossBad, lossGood };
}
