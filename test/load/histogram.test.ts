import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { histogramsReady, LatencyHistogram } from '../../src/load/histogram.ts';
import { Recorder } from '../../src/load/recorder.ts';
import { TraceSink } from '../../src/load/traces.ts';
import { quantile } from '../../src/slo/metrics.ts';

beforeAll(histogramsReady);

describe('a latency histogram', () => {
  test('gives every rank to three digits, and infinity for what never came', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100_000, noNaN: true })), fc.nat(5), (values, never) => {
        const histogram = new LatencyHistogram();
        for (const value of values) histogram.record(value);
        histogram.recordNever(never);
        const sorted = [...values].sort((a, b) => a - b);
        expect(histogram.samples).toBe(values.length + never);
        sorted.forEach((value, i) => {
          expect(Math.abs(histogram.valueAtRank(i + 1) - value)).toBeLessThanOrEqual(value / 1000 + 0.001);
        });
        if (never > 0) expect(histogram.valueAtRank(histogram.samples)).toBe(Number.POSITIVE_INFINITY);
        histogram.destroy();
      }),
      { numRuns: 50 },
    );
  });

  test('counts a negative latency as none and a week as an hour', () => {
    const histogram = new LatencyHistogram();
    histogram.record(-3);
    histogram.record(7 * 86_400_000);
    expect(histogram.valueAtRank(1)).toBe(0);
    expect(histogram.valueAtRank(2)).toBeCloseTo(3_600_000, -4);
    histogram.destroy();
  });
});

test('two recordings add up exactly', () => {
  const [one, two, whole] = [new Recorder(), new Recorder(), new Recorder()];
  for (let i = 0; i < 1000; i++) {
    for (const recorder of [i % 3 === 0 ? one : two, whole]) {
      recorder.distributions.feedback_latency.record(i);
      recorder.stages.asr.record(i / 10);
      recorder.tally.events += 1;
    }
  }
  for (const recorder of [two, whole]) recorder.distributions.feedback_latency.recordNever(7);
  const merged = new Recorder();
  merged.add(one.encode());
  merged.add(two.encode());
  for (const p of [0.1, 0.5, 0.95, 0.99, 1]) {
    expect(quantile(merged.distributions.feedback_latency, p)).toBe(quantile(whole.distributions.feedback_latency, p));
    expect(quantile(merged.stages.asr, p)).toBe(quantile(whole.stages.asr, p));
  }
  expect(merged.tally).toEqual(whole.tally);
  for (const recorder of [one, two, whole, merged]) recorder.destroy();
});

test('a trace sink keeps a uniform sample of its size, in order of time', () => {
  const counts = new Array<number>(100).fill(0);
  for (let seed = 0; seed < 400; seed++) {
    const sink = new TraceSink(10, seed);
    for (let at_ms = 0; at_ms < 100; at_ms++) {
      sink.add(() => ({ at_ms, session: 's', profile: 'p', language: 'l', total_ms: 1, stages: {} }));
    }
    const kept = sink.taken().map((trace) => trace.at_ms);
    expect(kept).toHaveLength(10);
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
    for (const at_ms of kept) counts[at_ms]! += 1;
  }
  // 400 x 10 / 100 = 40 each, sd 6: the halves of the time must be kept alike.
  const early = counts.slice(0, 50).reduce((a, b) => a + b, 0);
  expect(Math.abs(early - 2000)).toBeLessThan(150);
});
