import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { OpenUtterance } from '../../src/scoring/pipeline.ts';
import { Traces } from '../../src/telemetry/tracing/otlp-tracing.ts';
import { scriptedScoring } from '../kit/server/scripted.ts';
import { node, pool, reader, until } from '../kit/trunk/service.ts';

/** Traces as a program has them, and what it has sent of them. */
function tracing({ share = 0, slowMs = 10_000 } = {}) {
  const exporter = new InMemorySpanExporter();
  const traces = new Traces({ exporter, version: '1', share, slowMs, random: () => 0.5, onTrouble: () => {} });
  onTestFinished(() => traces[Symbol.asyncDispose]());
  const sent = async (): Promise<readonly ReadableSpan[]> => {
    await traces.flush();
    return exporter.getFinishedSpans();
  };
  return { traces, sent };
}

/** The trace of an utterance that begins now at a gateway. */
function beginsAt({ traces }: ReturnType<typeof tracing>) {
  const session = traces.begin({ sessionId: 's', startMs: performance.now(), attributes: {} });
  return { session, traceparent: session.utteranceBegun(1, performance.now()) };
}

const of = (spans: readonly ReadableSpan[], name: string) => spans.filter((span) => span.name === name);
const idOf = (span: ReadableSpan) => span.spanContext().spanId;

describe('an utterance that its gateway traces', () => {
  it('is followed by its node below the span of the gateway, in the stages that the node has', async () => {
    const [gateway, atNode] = [tracing({ share: 1 }), tracing()];
    const { session, traceparent } = beginsAt(gateway);
    const from = await pool([await node({ tracing: atNode.traces })]);
    const learner = reader(from, 'a', undefined, { traceparent });
    learner.speak(1000);
    await until(() => learner.heardMs() === 1000);
    await learner.utterance.finish();
    session.utteranceFinal(1, performance.now());
    const [utterance] = of(await gateway.sent(), 'utterance');
    await expect.poll(async () => of(await atNode.sent(), 'node utterance').length).toBe(1);
    const spans = await atNode.sent();
    const [own] = of(spans, 'node utterance');
    expect(own!.parentSpanContext).toMatchObject({ spanId: idOf(utterance!), isRemote: true });
    expect(own!.attributes).toMatchObject({
      'rpc.system': 'grpc',
      'rpc.service': 'speechfb.v1.InferenceService',
      'rpc.method': 'Trunk',
      'speechfb.node': 'node',
      'speechfb.node.kept': 'share',
      'speechfb.outcome': 'final',
      'speechfb.feedback.count': learner.told.length,
    });
    const traceId = utterance!.spanContext().traceId;
    for (const span of spans) expect(span.spanContext().traceId).toBe(traceId);
    const feedback = of(spans, 'node feedback');
    expect(feedback).toHaveLength(learner.told.length);
    for (const one of [...feedback, ...of(spans, 'node final')]) expect(one.parentSpanContext?.spanId).toBe(idOf(own!));
    const stages = spans.filter(({ name }) => /^node (queue|features|asr|scoring)$/.test(name));
    expect(stages).toHaveLength(4 * feedback.length);
    expect(stages[0]!.parentSpanContext?.spanId).toBe(idOf(feedback[0]!));
  });

  it('leaves nothing at a node where all was quick and the gateway is not sure to keep it', async () => {
    const [gateway, atNode] = [tracing(), tracing()];
    const { traceparent } = beginsAt(gateway);
    const learner = reader(await pool([await node({ tracing: atNode.traces })]), 'a', undefined, { traceparent });
    learner.speak(500);
    await learner.utterance.finish();
    expect(await atNode.sent()).toEqual([]);
  });

  it('is kept for what failed at the node, by its code', async () => {
    const [gateway, atNode] = [tracing(), tracing()];
    const { traceparent } = beginsAt(gateway);
    const open: OpenUtterance = (engine, reference, settings, events) => ({
      ...scriptedScoring.openUtterance(engine, reference, settings, events),
      push: () => events.onError(new Error('the model is gone')),
    });
    const failing = await node({ tracing: atNode.traces, open });
    const learner = reader(await pool([failing]), 'a', undefined, { traceparent });
    learner.speak(500);
    await expect.poll(async () => of(await atNode.sent(), 'node utterance').length).toBeGreaterThan(0);
    const [own] = of(await atNode.sent(), 'node utterance');
    expect(own).toMatchObject({ status: { code: 2 } });
    expect(own!.attributes).toMatchObject({
      'error.type': 'internal',
      'speechfb.node.kept': 'failed',
      'speechfb.outcome': 'failed',
    });
    expect(JSON.stringify(own!.attributes)).not.toContain('the model is gone');
    learner.utterance.close();
  });

  it('has a span at each node that it was at', async () => {
    const [gateway, first, second] = [tracing({ share: 1 }), tracing(), tracing()];
    const { traceparent } = beginsAt(gateway);
    const nodes = [await node({ tracing: first.traces }), await node({ tracing: second.traces })];
    const learner = reader(await pool(nodes), 'a', undefined, { traceparent });
    learner.speak(1000);
    await until(() => learner.heardMs() === 1000);
    const from = nodes.find((each) => each.slots().free === 3)!;
    void from.drain();
    learner.speak(1000);
    const outcomes = async () =>
      [...of(await first.sent(), 'node utterance'), ...of(await second.sent(), 'node utterance')]
        .map(({ attributes }) => attributes['speechfb.outcome'])
        .sort();
    // Finished before the other node has caught up, it would be final at both.
    await expect.poll(outcomes).toEqual(['closed']);
    await learner.utterance.finish();
    await expect.poll(outcomes).toEqual(['closed', 'final']);
  });

  it.each([
    ['a gateway that does not trace', {}],
    ['one whose span cannot be read', { traceparent: '00-nonsense' }],
  ])('%s: the node follows nothing, and scores as ever', async (_, settings) => {
    const atNode = tracing({ slowMs: 0 });
    const learner = reader(await pool([await node({ tracing: atNode.traces })]), 'a', undefined, settings);
    learner.speak(500);
    expect((await learner.utterance.finish()).words).toHaveLength(2);
    expect(await atNode.sent()).toEqual([]);
  });

  it('is scored as ever at a node that does not trace', async () => {
    const { traceparent } = beginsAt(tracing({ share: 1 }));
    const learner = reader(await pool([await node()]), 'a', undefined, { traceparent });
    learner.speak(500);
    expect((await learner.utterance.finish()).words).toHaveLength(2);
  });
});
