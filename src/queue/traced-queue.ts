import type { MessageTrace, MessageTracing, SpanAttributes } from '../telemetry/tracing/tracing.ts';
import { type Delivery, QueueError, type QueueRecord, traceHeader, type WorkQueue } from './work-queue.ts';

export type TracedQueueOptions = {
  tracing: MessageTracing;
  topic: string;
} & (
  | { system: 'memory' }
  | {
      system: 'kafka';
      /** Where records are put aside. */
      deadTopic: string;
      /** The name of the workers that share the work. */
      group: string;
    }
);

/**
 * A queue whose records are spans of these: each is sent below the span that its header names, and
 * names its own for whoever works on it. No key, header or value is in them.
 */
export class TracedQueue implements WorkQueue {
  readonly #queue: WorkQueue;
  readonly #options: TracedQueueOptions;
  /** What was delivered, until it is committed. */
  readonly #going = new WeakMap<Delivery, { trace: MessageTrace; isDead: boolean }>();
  /** What ends the parts that are being worked on, and the records that they are of. */
  readonly #parts = new Map<EndPart, Delivery>();

  constructor(queue: WorkQueue, options: TracedQueueOptions) {
    this.#queue = queue;
    this.#options = options;
  }

  append(record: QueueRecord): Promise<void> {
    const send = (sent: QueueRecord): Promise<void> => this.#queue.append(sent);
    return this.#send(this.#options.topic, record, record.headers[traceHeader], send);
  }

  async deadLetter(delivery: Delivery, reason: string, tries?: number): Promise<void> {
    const options = this.#options;
    const going = this.#going.get(delivery);
    const send = (sent: Delivery): Promise<void> => this.#queue.deadLetter(sent, reason, tries);
    if (options.system === 'memory') await send(delivery);
    else await this.#send(options.deadTopic, delivery, going?.trace.traceparent, send);
    if (going) going.isDead = true;
  }

  consume(handle: (delivery: Delivery) => Promise<void>): Promise<void> {
    return this.#queue.consume((delivery) => {
      this.#going.set(delivery, { trace: this.#process(delivery), isDead: false });
      return handle(delivery);
    });
  }

  async commit(delivery: Delivery): Promise<void> {
    const { trace, isDead } = this.#going.get(delivery) ?? {};
    try {
      await this.#queue.commit(delivery);
      trace?.end(isDead ? 'dead_letter' : undefined);
    } catch (error) {
      trace?.end(whyOf(error));
      throw error;
    }
  }

  /** A record is gone, and nobody works on it any more, if anybody did; `why` in a word. */
  lost(record: Delivery, why: string): void {
    for (const [end, of] of this.#parts) if (of === record) end(why);
    const { trace } = this.#going.get(record) ?? { trace: this.#process(record) };
    trace.end(why);
  }

  /** Takes nothing more; what is still being worked on comes again, and is over here. */
  close(): Promise<void> {
    for (const record of new Set(this.#parts.values())) this.lost(record, 'ended');
    return this.#queue.close();
  }

  /** Does a part of the work on a record that was delivered. */
  async part<Value>(delivery: Delivery, name: string, work: () => Promise<Value>): Promise<Value> {
    const endSpan = this.#going.get(delivery)?.trace.part(name);
    // A record may be lost before the work on it is over: then its spans are over already.
    const end: EndPart = (failure) => {
      if (this.#parts.delete(end)) endSpan?.(failure);
    };
    this.#parts.set(end, delivery);
    try {
      const value = await work();
      end();
      return value;
    } catch (error) {
      end(whyOf(error));
      throw error;
    }
  }

  async #send<Sent extends QueueRecord>(
    destination: string,
    record: Sent,
    parent: string | undefined,
    send: (sent: Sent) => Promise<void>,
  ): Promise<void> {
    const attributes = this.#attributesOf(record);
    const trace = this.#options.tracing.message({ operation: 'send', destination, parent, attributes });
    try {
      await send({ ...record, headers: { ...record.headers, [traceHeader]: trace.traceparent } });
      trace.end();
    } catch (error) {
      trace.end(whyOf(error));
      throw error;
    }
  }

  #process(delivery: Delivery): MessageTrace {
    const { tracing, topic: destination } = this.#options;
    const attributes = { ...this.#attributesOf(delivery), ...this.#placeOf(delivery) };
    const link = delivery.headers[traceHeader];
    return tracing.message({ operation: 'process', destination, link, attributes });
  }

  #attributesOf({ value }: QueueRecord): SpanAttributes {
    const { system } = this.#options;
    const client = system === 'kafka' ? { 'messaging.client.id': 'speechfb' } : {};
    return { 'messaging.system': system, ...client, 'messaging.message.body.size': value.byteLength };
  }

  #placeOf({ place }: Delivery): SpanAttributes {
    const options = this.#options;
    if (options.system === 'memory') return {};
    const [partition = '', offset] = place.split(':');
    return {
      'messaging.consumer.group.name': options.group,
      'messaging.destination.partition.id': partition,
      'messaging.kafka.offset': Number(offset),
    };
  }
}

type EndPart = (failure?: string) => void;

function whyOf(error: unknown): string {
  return error instanceof QueueError ? error.why : error instanceof Error ? error.name : 'internal';
}
