import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { quantile } from '../../src/metrics/definitions.ts';
import { histogramProblem } from '../../src/metrics/encoded-histogram.ts';
import { histogramsReady, LatencyHistogram } from '../../src/metrics/histogram.ts';
import { Recorder } from '../../src/metrics/recorder.ts';
import { mergeTraces, TraceSink } from '../../src/metrics/traces.ts';

beforeAll(histogramsReady);

describe('a latency histogram', () => {
  it('gives every rank to three digits, and infinity for what never came', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100_000, noNaN: true })), fc.nat(5), (values, never) => {
        using histogram = new LatencyHistogram();
        for (const value of values) histogram.record(value);
        histogram.recordNever(never);
        const sorted = [...values].sort((a, b) => a - b);
        expect(histogram.samples).toBe(values.length + never);
        sorted.forEach((value, i) => {
          expect(Math.abs(histogram.valueAtRank(i + 1) - value)).toBeLessThanOrEqual(value / 1000 + 0.001);
        });
        if (never > 0) expect(histogram.valueAtRank(histogram.samples)).toBe(Number.POSITIVE_INFINITY);
      }),
      { numRuns: 50 },
    );
  });

  it('counts a negative latency as none and a week as an hour', () => {
    using histogram = new LatencyHistogram();
    histogram.record(-3);
    histogram.record(7 * 86_400_000);
    expect(histogram.valueAtRank(1)).toBe(0);
    expect(histogram.valueAtRank(2)).toBeCloseTo(3_600_000, -4);
  });
});

describe('a histogram from a file', () => {
  const header = 40;

  it('is refused in words, or can be added up: whatever was done to its bytes', () => {
    const [cookie, raw] = opened([0, 0.5, 3, 40, 40, 3_600_000]);
    const change = fc.record({ at: fc.integer({ min: header, max: raw.length - 1 }), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const changed = Buffer.from(raw);
        for (const { at, to } of changes) changed[at] = to;
        const hdr = closed(cookie, changed);
        if (histogramProblem(hdr) !== undefined) return;
        using read = new LatencyHistogram({ hdr, never: 1 });
        using sum = new LatencyHistogram();
        sum.add(read);
        expect(sum.samples).toBe(read.samples);
        expect(read.samples === 1 || sum.valueAtRank(read.samples - 1) <= 3_601_000).toBe(true);
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  it('of ours has no problem', () => {
    using histogram = new LatencyHistogram();
    expect(histogramProblem(histogram.encode().hdr)).toBeUndefined();
    for (const ms of [0, 1e9, 7]) histogram.record(ms);
    expect(histogramProblem(histogram.encode().hdr)).toBeUndefined();
  });

  it.each<[string, (raw: Buffer) => unknown, RegExp]>([
    ['another range', (raw) => raw.writeBigInt64BE(10n ** 12n, 24), /another range than 1 us to an hour/],
    ['four digits', (raw) => raw.writeInt32BE(4, 12), /another range/],
    ['another cookie', (raw) => raw.writeInt32BE(7, 0), /another range/],
    ['another length', (raw) => raw.writeInt32BE(9, 4), /counts are cut off/],
    ['an open last count', (raw) => raw.writeUInt8(255, raw.length - 1), /counts are cut off/],
  ])('with %s is refused', (_, change, sentence) => {
    const [cookie, raw] = opened([5, 7]);
    change(raw);
    expect(histogramProblem(closed(cookie, raw))).toMatch(sentence);
  });

  it.each<[string, number[], RegExp]>([
    ['more counts than places', [0xff, 0xff, 0xff, 0xff, 0x0f], /more counts than it has places/],
    ['a count beyond 32 bits', [0xfe, 0xff, 0xff, 0xff, 0xff, 0x7f], /a count that is too large/],
    ['a count of ten bytes', new Array<number>(10).fill(0xff), /a count that is too large/],
    ['more than an hour', [0xfd, 0xed, 0x02, 0x02], /latencies of more than an hour/],
  ])('with %s is refused', (_, counts, sentence) => {
    const [cookie, raw] = opened([]);
    const changed = Buffer.concat([raw.subarray(0, header), Buffer.from(counts)]);
    changed.writeInt32BE(counts.length, 4);
    expect(histogramProblem(closed(cookie, changed))).toMatch(sentence);
  });

  function opened(samples: readonly number[]): [cookie: Buffer, raw: Buffer] {
    using histogram = new LatencyHistogram();
    for (const ms of samples) histogram.record(ms);
    const bytes = Buffer.from(histogram.encode().hdr, 'base64');
    return [bytes.subarray(0, 4), inflateSync(bytes.subarray(8, 8 + bytes.readInt32BE(4)))];
  }

  function closed(cookie: Buffer, raw: Buffer): string {
    const zipped = deflateSync(raw);
    const length = Buffer.alloc(4);
    length.writeInt32BE(zipped.length);
    return Buffer.concat([cookie, length, zipped]).toString('base64');
  }
});

describe('recordings of several profiles and languages', () => {
  const labels = [
    { profile: 'lte', language: 'en-US' },
    { profile: 'lte', language: 'de-DE' },
    { profile: 'edge', language: 'en-US' },
  ] as const;

  function filled(pick: (i: number) => boolean): Recorder {
    const recorder = new Recorder();
    for (let i = 0; i < 3000; i++) {
      if (!pick(i)) continue;
      const slice = recorder.slice(labels[i % 3]!);
      slice.record('feedback_latency', i);
      slice.stages.asr.record(i / 10);
      slice.tally.events += 1;
      if (i % 100 === 0) slice.record('feedback_latency', Number.POSITIVE_INFINITY);
    }
    return recorder;
  }

  it.each([
    ['the whole', {}],
    ['a profile', { profile: 'lte' }],
    ['a language', { language: 'en-US' }],
    ['a pair', { profile: 'edge', language: 'en-US' }],
    ['a profile that nobody has', { profile: '3g' }],
  ])('of two shards add up exactly: %s', (_, selector) => {
    using whole = filled(() => true);
    using merged = new Recorder(filled((i) => i % 7 === 0).encode());
    merged.add(filled((i) => i % 7 !== 0).encode());
    using a = merged.merged(selector);
    using b = whole.merged(selector);
    for (const p of [0.1, 0.5, 0.95, 0.99, 1]) {
      expect(quantile(a.distributions.feedback_latency, p)).toBe(quantile(b.distributions.feedback_latency, p));
      expect(quantile(a.stages.asr, p)).toBe(quantile(b.stages.asr, p));
    }
    expect(a.distributions.feedback_latency.samples).toBe(b.distributions.feedback_latency.samples);
    expect(a.distributions.feedback_latency.never).toBe(b.distributions.feedback_latency.never);
    expect(a.tally).toEqual(b.tally);
  });
});

describe('traces of several generators', () => {
  const sample = (session: string, count: number, seen: number) => ({
    traces: Array.from({ length: count }, (_, i) => ({
      at_ms: i,
      session,
      profile: 'p',
      language: 'l',
      total_ms: 1,
      stages: {},
    })),
    tracesSeen: seen,
  });

  it('are drawn as often as their generators saw feedback, not as they kept', () => {
    let fromFew = 0;
    for (let seed = 0; seed < 50; seed++) {
      const { traces, tracesSeen } = mergeTraces([sample('few', 100, 100), sample('many', 100, 900)], seed, 100);
      expect(traces).toHaveLength(100);
      expect(tracesSeen).toBe(1000);
      fromFew += traces.filter(({ session }) => session === 'few').length;
    }
    // A tenth of 5,000, sd about 20.
    expect(Math.abs(fromFew - 500)).toBeLessThan(80);
  });

  it('of one alone are its own, unless there are too many', () => {
    const only = sample('one', 100, 900);
    expect(mergeTraces([only], 1)).toBe(only);
    expect(mergeTraces([only], 1, 99).traces).toHaveLength(99);
  });

  it('are each as likely to be drawn as any other, and the same by the same seed', () => {
    const parts = [sample('a', 40, 40), sample('b', 20, 20)];
    const limit = 15;
    const drawn = new Map<string, number>();
    for (let seed = 0; seed < 400; seed++) {
      const { traces } = mergeTraces(parts, seed, limit);
      expect(new Set(traces.map(({ session, at_ms }) => `${session} ${at_ms}`)).size).toBe(15);
      for (const { session, at_ms } of traces)
        drawn.set(`${session} ${at_ms}`, (drawn.get(`${session} ${at_ms}`) ?? 0) + 1);
    }
    // 400 x 15 / 60 = 100 each, sd below 9: chi squared of 59 degrees is below 99 but once in a thousand.
    const chiSquared = [...drawn.values()].reduce((sum, times) => sum + (times - 100) ** 2 / 75, 0);
    expect(drawn.size).toBe(60);
    expect(chiSquared).toBeLessThan(99);
    expect(mergeTraces(parts, 7, limit)).toEqual(mergeTraces(parts, 7, limit));
  });

  it('end where one kept fewer than are wanted of it', () => {
    const { traces } = mergeTraces([sample('cut', 10, 1000), sample('whole', 500, 500)], 1);
    const cut = traces.filter(({ session }) => session === 'cut').length;
    expect(cut).toBe(10);
    expect(traces.length).toBeLessThan(40);
  });
});

it('a trace keeps the first 64 characters of what a server calls its session', () => {
  const sink = new TraceSink(10, 1);
  sink.wants();
  sink.keep({ session: 's'.repeat(100_000), profile: 'LTE', language: 'en-US' }, 0, 1, new Float64Array(11));
  expect(sink.taken()[0]).toMatchObject({ session: 's'.repeat(64), profile: 'LTE', language: 'en-US' });
});

it('a trace sink keeps a uniform sample of its size, in order of time', () => {
  const counts = new Array<number>(100).fill(0);
  for (let seed = 0; seed < 400; seed++) {
    const sink = new TraceSink(10, seed);
    for (let at_ms = 0; at_ms < 100; at_ms++) {
      if (sink.wants()) sink.keep({ session: 's', profile: 'p', language: 'l' }, at_ms, 1, new Float64Array(11));
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
