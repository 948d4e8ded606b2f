import { SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { expect, it, onTestFinished } from 'vitest';
import { replayOf } from '../../src/queue/dead-letter.ts';
import { MemoryQueue } from '../../src/queue/memory-queue.ts';
import { TracedQueue } from '../../src/queue/traced-queue.ts';
import { type Delivery, QueueError } from '../../src/queue/work-queue.ts';
import { Traces } from '../../src/telemetry/tracing/otlp-tracing.ts';

const utterance = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const record = { key: 'session-7', value: Buffer.from('the cat sat'), headers: { traceparent: utterance, lane: 'x' } };

function opened() {
  const exporter = new InMemorySpanExporter();
  const tracing = new Traces({ exporter, version: '1', share: 0, slowMs: 500, random: () => 0.5, onTrouble() {} });
  onTestFinished(() => tracing[Symbol.asyncDispose]());
  const inner = new MemoryQueue(Date.now);
  const queue = new TracedQueue(inner, {
    tracing,
    system: 'kafka',
    topic: 'retry',
    deadTopic: 'dead',
    group: 'workers',
  });
  const spans = async (): Promise<readonly ReadableSpan[]> => {
    await tracing.flush();
    return exporter.getFinishedSpans();
  };
  /** Waits for the next delivery. */
  const deliveries: Delivery[] = [];
  void queue.consume(async (delivery) => void deliveries.push(delivery));
  onTestFinished(() => queue.close());
  const next = async (): Promise<Delivery> => {
    await expect.poll(() => deliveries.length).toBeGreaterThan(0);
    return deliveries.shift()!;
  };
  return { inner, queue, spans, next };
}

const named = (spans: readonly ReadableSpan[], name: string): ReadableSpan[] =>
  spans.filter((span) => span.name === name);
const traceparentOf = (span: ReadableSpan): string =>
  `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`;

it('sends below the span of the utterance, and works in a trace of its own that is linked with the sending', async () => {
  const { queue, spans, next } = opened();
  await queue.append(record);
  const delivery = await next();
  expect(await queue.part(delivery, 'score', async () => 'done')).toBe('done');
  await queue.commit(delivery);
  const all = await spans();
  const [send, process, score] = ['send retry', 'process retry', 'score'].map((name) => named(all, name)[0]!);
  expect(delivery.headers).toEqual({ lane: 'x', traceparent: traceparentOf(send!) });
  expect(send).toMatchObject({
    kind: SpanKind.PRODUCER,
    parentSpanContext: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' },
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'retry',
      'messaging.client.id': 'speechfb',
      'messaging.message.body.size': 11,
    },
  });
  expect(process).toMatchObject({
    kind: SpanKind.CONSUMER,
    parentSpanContext: undefined,
    attributes: {
      'messaging.operation.type': 'process',
      'messaging.consumer.group.name': 'workers',
      'messaging.destination.partition.id': '0',
      'messaging.kafka.offset': 0,
    },
  });
  expect(process!.links.map(({ context }) => context)).toMatchObject([
    { traceId: send!.spanContext().traceId, spanId: send!.spanContext().spanId, isRemote: true },
  ]);
  expect(score!.parentSpanContext?.spanId).toBe(process!.spanContext().spanId);
  expect(JSON.stringify(all.map(({ name, attributes }) => [name, attributes]))).not.toMatch(/session-7|cat sat|lane/);
});

it('follows a record that is put aside, and replayed', async () => {
  const { inner, queue, spans, next } = opened();
  await queue.append(record);
  const delivery = await next();
  await queue.part(delivery, 'score', () => Promise.reject(new TypeError('the cat sat'))).catch(() => {});
  await queue.deadLetter(delivery, 'the cat sat', 5);
  await queue.commit(delivery);
  await inner.append(replayOf(inner.dead[0]!));
  await queue.commit(await next());
  const all = await spans();
  const [first, second] = named(all, 'process retry');
  const [dead] = named(all, 'send dead');
  expect(dead!.parentSpanContext?.spanId).toBe(first!.spanContext().spanId);
  expect(first!.attributes['error.type']).toBe('dead_letter');
  expect(named(all, 'score')[0]!.attributes['error.type']).toBe('TypeError');
  expect(inner.dead[0]!.headers).toMatchObject({ traceparent: traceparentOf(dead!), 'dead-reason': 'the cat sat' });
  expect(second!.links.map(({ context }) => context.spanId)).toEqual([dead!.spanContext().spanId]);
  expect(second!.attributes['error.type']).toBeUndefined();
  expect(JSON.stringify(all.map(({ attributes, status }) => [attributes, status]))).not.toContain('cat sat');
});

it.each([
  ['no header', {}],
  ['one that is malformed', { traceparent: '00-short' }],
])('begins a trace where a record has %s', async (_, headers) => {
  const { queue, inner, spans, next } = opened();
  await queue.append({ ...record, headers });
  const sent = await next();
  await queue.commit(sent);
  await inner.append({ ...record, headers });
  await queue.commit(await next());
  const all = await spans();
  expect(named(all, 'send retry')[0]!.parentSpanContext).toBeUndefined();
  expect(named(all, 'process retry').map(({ links }) => links.length)).toEqual([1, 0]);
});

it('says why a record could not be sent or committed', async () => {
  const { queue, inner, spans, next } = opened();
  await queue.append(record);
  const delivery = await next();
  inner.append = () => Promise.reject(new QueueError('unreachable', 'Kafka does not answer'));
  inner.commit = () => Promise.reject(new QueueError('failed', 'it went to another worker'));
  await expect(queue.append(record)).rejects.toThrow('Kafka does not answer');
  await expect(queue.commit(delivery)).rejects.toThrow('another worker');
  const all = await spans();
  expect(named(all, 'send retry').map(({ attributes }) => attributes['error.type'])).toEqual([
    undefined,
    'unreachable',
  ]);
  expect(named(all, 'process retry')[0]!.attributes['error.type']).toBe('failed');
});

it.each<[what: string, end: (queue: TracedQueue, delivery: Delivery) => unknown, why: string]>([
  ['lost while it is worked on', (queue, delivery) => queue.lost(delivery, 'expired'), 'expired'],
  ['worked on when the queue is closed', (queue) => queue.close(), 'ended'],
])('ends the spans of a record that is %s, once', async (_, end, why) => {
  const { queue, spans, next } = opened();
  await queue.append(record);
  const delivery = await next();
  let finish: () => void = () => {};
  const work = queue.part(delivery, 'score', () => new Promise<void>((resolve) => (finish = resolve)));
  await end(queue, delivery);
  const ended = (await spans()).map(({ name, attributes }) => [name, attributes['error.type']]);
  expect(ended).toEqual([
    ['send retry', undefined],
    ['score', why],
    ['process retry', why],
  ]);
  finish();
  await work;
  expect(await spans()).toHaveLength(3);
});
