import type { Kafka, Producer } from 'kafkajs';
import { QueueError, type QueueRecord } from '../work-queue.ts';
import { kafkaTrouble } from './kafka-trouble.ts';

/**
 * Writes records, each kept by all replicas before it counts. A batch of the producer that fails is
 * written again under the same number, and the broker takes it once; after a failure for good that
 * number may have been used, and the next record under it would be taken for the same. So a
 * producer that failed is given up, and the next one begins to count anew. So is one that has had
 * nothing to write for a while: a Kafka that lost its disk meanwhile has given the producer's id to
 * another, whose numbers these records would repeat, and drops them without a word.
 */
export class KafkaAppender {
  readonly #kafka: Kafka;
  #current: Way | undefined;
  #idle: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /** @throws QueueError */
  async append(topic: string, { key, value, headers }: QueueRecord): Promise<void> {
    if (this.#isClosed) throw new QueueError('closed', 'the queue is closed');
    clearTimeout(this.#idle);
    this.#current ??= { producer: this.#open(), sending: 0, isRetired: false };
    const way = this.#current;
    way.sending += 1;
    try {
      const producer = await way.producer;
      const message = { key, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength), headers };
      await producer.send({ topic, acks: allReplicas, messages: [message] });
    } catch (error) {
      const trouble = kafkaTrouble(error, topic);
      // A record that does not fit says nothing of the way to the broker.
      if (trouble.why !== 'too_large') this.#retire(way);
      throw trouble;
    } finally {
      way.sending -= 1;
      if (way.sending === 0) this.#rest(way);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    const way = this.#current;
    if (!way) return;
    this.#retire(way);
    await disconnect(way);
  }

  /** Nothing is being sent by it. */
  #rest(way: Way): void {
    if (way.isRetired) void disconnect(way);
    else if (!this.#isClosed) {
      this.#idle = setTimeout(() => {
        this.#retire(way);
        void disconnect(way);
      }, idleMs).unref();
    }
  }

  /** It is disconnected when nothing is being sent any more: what is would connect it again. */
  #retire(way: Way): void {
    way.isRetired = true;
    if (this.#current === way) this.#current = undefined;
  }

  async #open(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1000 },
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      await producer.disconnect().catch(() => {});
      throw error;
    }
  }
}

/** A producer, and how many records are being sent by it. */
type Way = { producer: Promise<Producer>; sending: number; isRetired: boolean };

async function disconnect({ producer }: Way): Promise<void> {
  await producer.then((opened) => opened.disconnect()).catch(() => {});
}

const allReplicas = -1;
/** A Kafka takes longer to come back, however little it has kept. */
const idleMs = 2000;
