import { randomBytes } from 'node:crypto';
import type { EachBatchPayload, Kafka } from 'kafkajs';
import { type DeadLetters, replayNoteOf, replayOf } from '../dead-letter.ts';
import { type Delivery, QueueError } from '../work-queue.ts';
import { deliveryOf } from './delivery.ts';
import { KafkaAppender } from './kafka-appender.ts';
import { type KafkaPlace, kafkaClient } from './kafka-place.ts';
import { kafkaTrouble } from './kafka-trouble.ts';

export type KafkaDeadLettersOptions = {
  place: KafkaPlace;
  /** Where letters go back to. */
  topic: string;
  deadTopic: string;
  /** The name of the workers: readers of letters are groups of their own, named after it. */
  group: string;
};

/** What was put aside in a topic of a Kafka. Reading leaves nothing behind there. */
export class KafkaDeadLetters implements DeadLetters {
  readonly #options: KafkaDeadLettersOptions;
  readonly #kafka: Kafka;
  readonly #appender: KafkaAppender;

  constructor(options: KafkaDeadLettersOptions) {
    this.#options = options;
    this.#kafka = kafkaClient(options.place);
    this.#appender = new KafkaAppender(this.#kafka);
  }

  async read(visit: (letter: Delivery) => Promise<void>): Promise<void> {
    const ends = await this.#ends();
    if (ends.size > 0) await this.#readTo(ends, visit);
  }

  async replay(letter: Delivery): Promise<void> {
    const { topic, deadTopic } = this.#options;
    await this.#appender.append(topic, replayOf(letter));
    await this.#appender.append(deadTopic, replayNoteOf(letter));
  }

  close(): Promise<void> {
    return this.#appender.close();
  }

  /** Behind the last record of each partition that has any. */
  async #ends(): Promise<Map<number, bigint>> {
    const { deadTopic } = this.#options;
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      const offsets = await admin.fetchTopicOffsets(deadTopic);
      const filled = offsets.filter(({ low, high }) => BigInt(high) > BigInt(low));
      return new Map(filled.map(({ partition, high }) => [partition, BigInt(high)]));
    } catch (error) {
      throw kafkaTrouble(error, deadTopic);
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }

  async #readTo(ends: Map<number, bigint>, visit: (letter: Delivery) => Promise<void>): Promise<void> {
    const { deadTopic, group } = this.#options;
    const consumer = this.#kafka.consumer({
      groupId: `${group}-letters-${randomBytes(8).toString('hex')}`,
      allowAutoTopicCreation: false,
      maxBytesPerPartition: fetchBytes,
      maxWaitTimeInMs: fetchWaitMs,
      // A broker that has just started may load its groups for some seconds.
      retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 1000, restartOnFailure: async () => false },
    });
    const { promise, resolve, reject } = deferred();
    const silence = new Silence(() => reject(new QueueError('unreachable', 'Kafka does not answer in time')));
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(kafkaTrouble(payload.error, deadTopic)));
    const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
      silence.broken();
      try {
        if (await takeBatch(payload, ends, visit, () => silence.broken())) resolve();
      } catch (error) {
        // The library would try again what failed for good.
        reject(error);
      }
    };
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [deadTopic], fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });
      await promise;
    } catch (error) {
      throw isKafkas(error) ? kafkaTrouble(error, deadTopic) : error;
    } finally {
      silence.end();
      await consumer.disconnect().catch(() => {});
    }
  }
}

/** @returns whether that was the last of all partitions, whose ends are taken out of `ends` */
async function takeBatch(
  { batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload,
  ends: Map<number, bigint>,
  visit: (letter: Delivery) => Promise<void>,
  onProgress: () => void,
): Promise<boolean> {
  const end = ends.get(batch.partition);
  for (const message of batch.messages) {
    if (end === undefined || BigInt(message.offset) >= end) break;
    if (!isRunning() || isStale()) return false;
    await visit(deliveryOf(batch.partition, message));
    onProgress();
    resolveOffset(message.offset);
    await heartbeat();
  }
  if (end !== undefined && BigInt(batch.lastOffset()) + 1n >= end) ends.delete(batch.partition);
  return ends.size === 0;
}

/** Calls once when nothing has broken it for half a minute. */
class Silence {
  readonly #timer: NodeJS.Timeout;

  constructor(onLong: () => void) {
    this.#timer = setTimeout(onLong, silenceMs);
  }

  broken(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve = (): void => {};
  let reject = (_: unknown): void => {};
  const promise = new Promise<void>((onDone, onFailed) => {
    resolve = onDone;
    reject = onFailed;
  });
  // It may be rejected before anybody waits for it.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

function isKafkas(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('KafkaJS');
}

/** At least one record comes, however large it is. */
const fetchBytes = 1 << 20;
/** An end waits for the fetch that is under way. */
const fetchWaitMs = 100;
const silenceMs = 30_000;
