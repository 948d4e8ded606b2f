import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRandom } from '../../../src/stats/random.ts';
import { Traces } from '../../../src/telemetry/tracing/otlp-tracing.ts';
import type { TracedFeedback } from '../../../src/telemetry/tracing/tracing.ts';

const timing = { window: 20, ingress: 1, queue: 4, features: 2, asr: 10, scoring: 3, emit: 1 };

/** A feedback whose sound of 20 ms was made by `atMs` and which went out `tookMs` later. */
function feedback(atMs: number, tookMs = 45): TracedFeedback {
  const arrivedMs = atMs + timing.window + 20;
  return { type: 'phoneme_feedback', captureMs: 20, arrivedMs, writtenMs: atMs + tookMs + 20, timing };
}

function tracing({ share = 0, slowMs = 500, random = (): number => 0.5 } = {}) {
  const exporter = new InMemorySpanExporter();
  const traces = new Traces({ exporter, version: '1.2.3', share, slowMs, random, onTrouble: () => {} });
  onTestFinished(() => traces[Symbol.asyncDispose]());
  const sent = async (): Promise<readonly ReadableSpan[]> => {
    await traces.flush();
    return exporter.getFinishedSpans();
  };
  return { traces, sent };
}

const begun = { sessionId: 's-1', startMs: 1000, attributes: { 'speechfb.session': 'public' } };

/** One utterance of three feedbacks, read to its end. */
function speak({ traces }: ReturnType<typeof tracing>, slowest = 45, changes: Partial<typeof begun> = {}) {
  const session = traces.begin({ ...begun, ...changes });
  session.utteranceBegun(1, 1000);
  const told = [1100, 1200, 1300].map((atMs, i) => session.feedback(1, feedback(atMs, i === 1 ? slowest : 45)));
  session.utteranceEnded(1, 'finalize', 1400);
  return { session, told };
}

const names = (spans: readonly ReadableSpan[]) => spans.map(({ name }) => name);
const of = (spans: readonly ReadableSpan[], name: string) => spans.filter((span) => span.name === name);
const msOf = ({ duration: [seconds, nanos] }: ReadableSpan) => seconds * 1000 + nanos / 1e6;
const startOf = ({ startTime: [seconds, nanos] }: ReadableSpan) => seconds * 1000 + nanos / 1e6;

describe('an utterance', () => {
  it('that was fast and whole is not kept', async () => {
    const all = tracing();
    const { session, told } = speak(all);
    session.utteranceFinal(1, 1500);
    session.end(1600, undefined);
    expect(await all.sent()).toEqual([]);
    expect(told).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ['a feedback was slow', { slowest: 501 }, 1500, undefined, 'slow'],
    ['its final was slow', {}, 1901, undefined, 'slow'],
    ['its session failed', {}, undefined, 'inference_timeout', 'failed'],
  ])(
    'is kept when %s, with the slowest of its feedback',
    async (_, { slowest }: { slowest?: number }, finalMs, failure, keptFor) => {
      const all = tracing();
      const { session } = speak(all, slowest);
      if (finalMs !== undefined) session.utteranceFinal(1, finalMs);
      session.end(2000, failure);
      const spans = await all.sent();
      const [utterance] = of(spans, 'utterance');
      expect(utterance!.attributes).toMatchObject({ 'speechfb.kept': keptFor, 'speechfb.feedback.count': 3 });
      expect(utterance!.attributes['speechfb.session']).toBe('public');
      expect(of(spans, 'feedback')).toHaveLength(1);
      expect(msOf(of(spans, 'feedback')[0]!)).toBeCloseTo((slowest ?? 45) + 20, 3);
      expect(utterance!.status.code).toBe(failure === undefined ? 0 : 2);
      expect(utterance!.attributes['error.type']).toBe(failure);
    },
  );

  it('that its share keeps has all of its feedback, each with its stages one behind the other', async () => {
    const all = tracing({ share: 1 });
    const { session } = speak(all);
    session.utteranceFinal(1, 1500);
    session.end(1600, undefined);
    const spans = await all.sent();
    expect(of(spans, 'feedback')).toHaveLength(3);
    const [first] = of(spans, 'feedback');
    const stages = spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === first!.spanContext().spanId);
    expect(names(stages)).toEqual(['capture', 'window', 'ingress', 'queue', 'features', 'asr', 'scoring', 'emit']);
    expect(stages.map((stage) => Math.round(msOf(stage)))).toEqual([20, 20, 1, 4, 2, 10, 3, 1]);
    expect(stages.map(({ name, attributes }) => attributes['speechfb.stage'] === name)).not.toContain(false);
    const starts = stages.map(startOf);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(startOf(stages[0]!)).toBeCloseTo(startOf(first!), 2);
    expect(startOf(stages.at(-1)!) + msOf(stages.at(-1)!)).toBeCloseTo(startOf(first!) + msOf(first!), 2);
  });

  it('is a trace of its own, which is linked with that of its session', async () => {
    const all = tracing({ share: 1 });
    const { session } = speak(all);
    session.utteranceFinal(1, 1500);
    session.end(1600, undefined);
    const spans = await all.sent();
    const [utterance] = of(spans, 'utterance');
    const [own] = of(spans, 'session');
    expect(utterance!.parentSpanContext).toBeUndefined();
    expect(utterance!.spanContext().traceId).not.toBe(own!.spanContext().traceId);
    expect(utterance!.links.map(({ context }) => context.spanId)).toEqual([own!.spanContext().spanId]);
    expect(msOf(own!)).toBeCloseTo(600, 2);
  });

  it('keeps its share uniformly, whatever else an utterance is', async () => {
    const draws = [0.009, 0.011];
    const all = tracing({ share: 0.01, random: () => draws.shift() ?? 1 });
    for (const sessionId of ['s-1', 's-2']) {
      const { session } = speak(all, 501, { sessionId });
      session.utteranceFinal(1, 1500);
      session.end(1600, undefined);
    }
    const kept = of(await all.sent(), 'utterance').map(({ attributes }) => attributes['speechfb.kept']);
    expect(kept).toEqual(['share', 'slow']);
  });

  it('of an hour keeps a uniform sample of its feedback, and says of how much', async () => {
    const all = tracing({ share: 1, random: createRandom(7).uniform });
    const session = all.traces.begin(begun);
    session.utteranceBegun(1, 1000);
    for (let i = 0; i < 36_000; i++) session.feedback(1, feedback(1000 + 100 * i, 45 + (i % 100)));
    session.utteranceFinal(1, 3_601_000);
    session.end(3_602_000, undefined);
    const spans = await all.sent();
    const lengths = of(spans, 'feedback').map(msOf);
    expect(lengths).toHaveLength(200);
    expect(of(spans, 'utterance')[0]!.attributes['speechfb.feedback.count']).toBe(36_000);
    // The mean of a uniform sample: 114.5 within four standard errors of 28.9 / sqrt(200).
    expect(Math.abs(lengths.reduce((sum, ms) => sum + ms, 0) / 200 - 114.5)).toBeLessThan(8.2);
  });

  it('gives its trace as soon as it is sure to be kept: for exemplars that can be followed', async () => {
    const all = tracing();
    const { session, told } = speak(all, 501);
    expect(told[0]).toBeUndefined();
    expect(told[1]).toMatch(/^[0-9a-f]{32}$/);
    expect(told[2]).toBe(told[1]);
    session.utteranceFinal(1, 1500);
    session.end(1600, undefined);
    expect(of(await all.sent(), 'utterance')[0]!.spanContext().traceId).toBe(told[1]);
  });

  it('counts a transcript only where it has no phones', async () => {
    const all = tracing({ share: 1 });
    const { session } = speak(all);
    session.feedback(1, { ...feedback(1350), type: 'transcript' });
    session.utteranceFinal(1, 1500);
    session.utteranceBegun(2, 1500);
    session.feedback(2, { ...feedback(1600), type: 'transcript' });
    session.utteranceFinal(2, 1700);
    session.end(1800, undefined);
    const counts = of(await all.sent(), 'utterance').map(({ attributes }) => attributes['speechfb.feedback.count']);
    expect(counts).toEqual([3, 1]);
  });
});

describe('a session', () => {
  const parent = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };

  it.each([
    ['is kept when its client keeps its own span', true, ['session']],
    ['is not when it does not', false, []],
  ])('%s', async (_, isSampled, expected) => {
    const all = tracing();
    all.traces.begin({ ...begun, parent: { ...parent, isSampled } }).end(1600, undefined);
    const spans = await all.sent();
    expect(names(spans)).toEqual(expected);
    for (const span of spans) {
      expect(span.spanContext().traceId).toBe(parent.traceId);
      expect(span.parentSpanContext).toMatchObject({ spanId: parent.spanId, isRemote: true });
    }
  });

  it('has the calls that were made for it, those before its begin among them', async () => {
    const all = tracing();
    const call = { name: 'EVALSHA begin', startMs: 990, endMs: 995, attributes: { 'db.system.name': 'redis' } };
    all.traces.call('s-1', call);
    all.traces.call('s-2', call);
    const session = all.traces.begin({ ...begun, parent: { ...parent, isSampled: true } });
    all.traces.call('s-1', { ...call, name: 'EVALSHA save', startMs: 1010, endMs: 1060, failure: 'timeout' });
    session.end(1600, undefined);
    const spans = await all.sent();
    expect(names(spans)).toEqual(['EVALSHA begin', 'EVALSHA save', 'session']);
    const [begin, save, own] = spans;
    expect(begin!.kind).toBe(2);
    expect(save).toMatchObject({ attributes: { 'error.type': 'timeout' }, status: { code: 2 } });
    expect(msOf(save!)).toBeCloseTo(50, 3);
    expect(save!.parentSpanContext?.spanId).toBe(own!.spanContext().spanId);
  });

  it('of many calls has room for some, and for more that failed', async () => {
    const all = tracing();
    const session = all.traces.begin({ ...begun, parent: { ...parent, isSampled: true } });
    for (let i = 0; i < 1000; i++) {
      const failure = i >= 500 ? 'timeout' : undefined;
      all.traces.call('s-1', { name: 'save', startMs: i, endMs: i + 1, attributes: {}, failure });
    }
    session.end(1600, undefined);
    const calls = of(await all.sent(), 'save');
    expect(calls).toHaveLength(64);
    expect(calls.filter(({ status }) => status.code === 2)).toHaveLength(32);
  });

  it('says what sent it, unless the environment knows better', async () => {
    const all = tracing();
    all.traces.begin({ ...begun, parent: { ...parent, isSampled: true } }).end(1600, undefined);
    const [span] = await all.sent();
    expect(span!.resource.attributes).toMatchObject({ 'service.name': 'speechfb', 'service.version': '1.2.3' });
  });
});
