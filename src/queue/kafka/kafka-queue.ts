import { type Consumer, type EachBatchPayload, type Kafka, PartitionAssigners } from 'kafkajs';
import { backoffMs } from '../../backoff.ts';
import { deadLetterOf, stubOf } from '../dead-letter.ts';
import { type Delivery, QueueError, type QueueRecord, type WorkQueue } from '../work-queue.ts';
import { deliveryOf } from './delivery.ts';
import { DoneOffsets } from './done-offsets.ts';
import { KafkaAppender } from './kafka-appender.ts';
import { type KafkaPlace, kafkaClient } from './kafka-place.ts';
import { kafkaTrouble } from './kafka-trouble.ts';

export type KafkaQueueOptions = {
  place: KafkaPlace;
  topic: string;
  /** Where records are put aside. */
  deadTopic: string;
  /** The name of the workers that share the work. */
  group: string;
  /** Kafka stopped answering, or what else goes wrong while it is tried again. */
  onTrouble(trouble: QueueError): void;
};

/** Work in a topic of a Kafka: any number of workers share it, and none of it is lost with one. */
export class KafkaQueue implements WorkQueue {
  readonly #options: KafkaQueueOptions;
  readonly #kafka: Kafka;
  readonly #appender: KafkaAppender;
  readonly #places = new WeakMap<Delivery, Place>();
  readonly #done = new Map<number, DoneOffsets>();
  /** What is to be committed, by partition; the newest counts. */
  readonly #uncommitted = new Map<number, bigint>();
  /** Rises each time that partitions are given out anew. */
  #generation = 0;
  #consumer: Consumer | undefined;
  #committing: Promise<void> = Promise.resolve();
  /** What ends the waiting for work when the queue is closed. */
  readonly #waits = new Set<() => void>();
  #close: () => void = () => {};
  readonly #closed = new Promise<void>((resolve) => (this.#close = resolve));
  #isClosed = false;

  constructor(options: KafkaQueueOptions) {
    this.#options = options;
    this.#kafka = kafkaClient(options.place);
    this.#appender = new KafkaAppender(this.#kafka);
  }

  append(record: QueueRecord): Promise<void> {
    return this.#appender.append(this.#options.topic, record);
  }

  async deadLetter(delivery: Delivery, reason: string, tries?: number): Promise<void> {
    const { deadTopic } = this.#options;
    const letter = deadLetterOf(delivery, reason, tries);
    try {
      await this.#appender.append(deadTopic, letter);
    } catch (error) {
      if (!(error instanceof QueueError) || error.why !== 'too_large') throw error;
      await this.#appender.append(deadTopic, stubOf(letter));
    }
  }

  async consume(handle: (delivery: Delivery) => Promise<void>): Promise<void> {
    for (let tries = 0; !this.#isClosed; tries += 1) {
      const trouble = await this.#consumeOnce(handle);
      if (!trouble || this.#isClosed) return;
      if (this.#isHopeless(trouble)) throw trouble;
      this.#options.onTrouble(trouble);
      await Promise.race([pause(backoffMs(tries, Math.random, againAfter)), this.#closed]);
    }
  }

  async commit(delivery: Delivery): Promise<void> {
    const place = this.#places.get(delivery);
    if (!place || place.generation !== this.#generation) {
      throw new QueueError('failed', 'the record has gone to another worker meanwhile');
    }
    const upTo = this.#done.get(place.partition)?.done(place.offset);
    if (upTo === undefined) return;
    this.#uncommitted.set(place.partition, upTo);
    const committed = this.#committing.then(() => this.#commitAll());
    this.#committing = committed.catch(() => {});
    await committed;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#close();
    for (const giveUp of this.#waits) giveUp();
    await this.#committing;
    await this.#consumer?.disconnect().catch(() => {});
    await this.#appender.close();
  }

  /** A topic that was there may come back: a broker that lost its disk is given its topics anew. */
  #isHopeless({ why }: QueueError): boolean {
    return hopeless.has(why) && !(why === 'no_topic' && this.#generation > 0);
  }

  /** Consumes until it is closed, or something is in the way that is to be told. */
  async #consumeOnce(handle: (delivery: Delivery) => Promise<void>): Promise<QueueError | undefined> {
    const { topic, group } = this.#options;
    const consumer = this.#kafka.consumer({
      groupId: group,
      partitionAssigners: [assigner],
      allowAutoTopicCreation: false,
      maxBytesPerPartition: fetchBytes,
      maxWaitTimeInMs: fetchWaitMs,
      sessionTimeout: sessionMs,
      heartbeatInterval: beatMs,
      retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1000, restartOnFailure: async () => false },
    });
    this.#consumer = consumer;
    const crashed = new Promise<QueueError>((resolve) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => resolve(kafkaTrouble(payload.error, topic)));
    });
    consumer.on(consumer.events.GROUP_JOIN, () => this.#given());
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      const eachBatch = (payload: EachBatchPayload): Promise<void> => this.#take(payload, handle);
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently, eachBatch });
      return await Promise.race([crashed, this.#closed.then(() => undefined)]);
    } catch (error) {
      return kafkaTrouble(error, topic);
    } finally {
      if (!this.#isClosed) await consumer.disconnect().catch(() => {});
    }
  }

  /** Partitions were given out anew: what was delivered before may be with others by now. */
  #given(): void {
    this.#generation += 1;
    this.#done.clear();
    this.#uncommitted.clear();
  }

  async #take(payload: EachBatchPayload, handle: (delivery: Delivery) => Promise<void>): Promise<void> {
    const { batch, resolveOffset, isRunning, isStale } = payload;
    const { partition } = batch;
    for (const message of batch.messages) {
      if (this.#isClosed || !isRunning() || isStale()) return;
      const offset = BigInt(message.offset);
      const done = this.#done.get(partition) ?? new DoneOffsets();
      this.#done.set(partition, done);
      done.delivered(offset);
      const delivery = deliveryOf(partition, message);
      this.#places.set(delivery, { partition, offset, generation: this.#generation });
      await this.#whileBeating(handle(delivery), payload);
      resolveOffset(message.offset);
    }
  }

  /** A worker that waits is not dead: the broker hears from it. */
  async #whileBeating(work: Promise<void>, { heartbeat }: EachBatchPayload): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let giveUp = (): void => {};
    try {
      // No race with the end: a promise that lasts holds what raced with it, a record each.
      await new Promise<void>((resolve, reject) => {
        giveUp = resolve;
        this.#waits.add(giveUp);
        if (this.#isClosed) resolve();
        work.then(resolve, reject);
        // A heartbeat fails when partitions are given out anew: the library has to hear of it.
        timer = setInterval(() => void heartbeat().catch(reject), beatMs);
      });
    } finally {
      clearInterval(timer);
      this.#waits.delete(giveUp);
    }
  }

  async #commitAll(): Promise<void> {
    const { topic } = this.#options;
    const offsets = [...this.#uncommitted].map(([partition, offset]) => ({ topic, partition, offset: String(offset) }));
    if (offsets.length === 0 || !this.#consumer) return;
    const generation = this.#generation;
    this.#uncommitted.clear();
    try {
      await this.#consumer.commitOffsets(offsets);
    } catch (error) {
      const isOurs = generation === this.#generation;
      for (const { partition, offset } of isOurs ? offsets : []) {
        if (!this.#uncommitted.has(partition)) this.#uncommitted.set(partition, BigInt(offset));
      }
      throw kafkaTrouble(error, topic);
    }
  }
}

type Place = { partition: number; offset: bigint; generation: number };

/**
 * Its name says what workers of a group understand: the broker keeps out those who call it
 * something else, so that records never go back and forth between two versions.
 */
const assigner: typeof PartitionAssigners.roundRobin = (given) => ({
  ...PartitionAssigners.roundRobin(given),
  name: 'speechfb-retry-v1',
  protocol: ({ topics }) => ({
    name: 'speechfb-retry-v1',
    metadata: PartitionAssigners.roundRobin(given).protocol({ topics }).metadata,
  }),
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}

/** What no further try can mend. */
const hopeless: ReadonlySet<QueueError['why']> = new Set(['no_topic', 'unauthorized', 'forbidden', 'other_version']);
const againAfter = { firstMs: 250, maxMs: 5000 };
const partitionsConsumedConcurrently = 4;
/** At least one record comes, however large it is. */
const fetchBytes = 1 << 20;
/** An end waits for the fetch that is under way. */
const fetchWaitMs = 500;
const sessionMs = 30_000;
const beatMs = 3000;
