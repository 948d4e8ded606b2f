import { Consumer, Producer } from '@platformatic/kafka';
import { deadLetterOf } from '../../src/queue/dead-letter.ts';
import { DoneOffsets } from '../../src/queue/kafka/done-offsets.ts';
import { type Delivery, QueueError, type QueueRecord, type WorkQueue } from '../../src/queue/work-queue.ts';

/**
 * The port of five methods over another client of Kafka: what the program writes with its own is what anybody reads, and the
 * other way round.
 */
export class SecondKafkaQueue implements WorkQueue {
  readonly #options: { topic: string; deadTopic: string };
  readonly #producer: Producer;
  readonly #consumer: Consumer;
  readonly #places = new WeakMap<Delivery, { partition: number; offset: bigint }>();
  readonly #done = new Map<number, DoneOffsets>();
  #joining: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor({ broker, group, ...options }: { broker: string; topic: string; deadTopic: string; group: string }) {
    const common = { clientId: 'another', bootstrapBrokers: [broker], retries: 20, retryDelay: 100 };
    this.#options = options;
    this.#producer = new Producer({ ...common, idempotent: true });
    this.#consumer = new Consumer({ ...common, groupId: group, maxWaitTime: 200, sessionTimeout: 30_000 });
  }

  append(record: QueueRecord): Promise<void> {
    return this.#send(this.#options.topic, record);
  }

  deadLetter(delivery: Delivery, reason: string, tries?: number): Promise<void> {
    return this.#send(this.#options.deadTopic, deadLetterOf(delivery, reason, tries));
  }

  async consume(handle: (delivery: Delivery) => Promise<void>): Promise<void> {
    const { topic } = this.#options;
    const from = { mode: 'committed', fallbackMode: 'earliest' } as const;
    const joining = this.#consumer.consume({ topics: [topic], autocommit: false, ...from });
    this.#joining = joining;
    const stream = await joining;
    // The end of a stream that is closed while it fetches is an error of it.
    stream.on('error', () => {});
    if (this.#isClosed) return;
    for await (const { key, value, headers, partition, offset, timestamp } of stream) {
      if (this.#isClosed) return;
      const text = [...headers].map(([name, content]) => [String(name), String(content)]);
      const place = `${partition}:${offset}`;
      const delivery = { key: String(key), value, headers: Object.fromEntries(text), place };
      const delivered = { ...delivery, appendedMs: Number(timestamp) };
      this.#places.set(delivered, { partition, offset });
      this.#doneOf(partition).delivered(offset);
      await handle(delivered);
    }
  }

  async commit(delivery: Delivery): Promise<void> {
    const { partition, offset } = this.#places.get(delivery)!;
    const upTo = this.#doneOf(partition).done(offset);
    if (upTo === undefined) return;
    const { topic } = this.#options;
    await this.#consumer.commit({ offsets: [{ topic, partition, offset: upTo, leaderEpoch: -1 }] });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // A consumer that is closed while it joins its group tries to for some seconds more.
    await this.#joining.catch(() => {});
    await Promise.all([this.#producer.close(), this.#consumer.close(true)]);
  }

  async #send(topic: string, { key, value, headers }: QueueRecord): Promise<void> {
    if (this.#isClosed) throw new QueueError('closed', 'the queue is closed');
    const named = new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]));
    const message = { topic, key: Buffer.from(key), value: Buffer.from(value), headers: named };
    await this.#producer.send({ messages: [message], acks: -1 });
  }

  #doneOf(partition: number): DoneOffsets {
    const known = this.#done.get(partition) ?? new DoneOffsets();
    this.#done.set(partition, known);
    return known;
  }
}
