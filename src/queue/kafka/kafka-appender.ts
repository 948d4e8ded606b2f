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
  #producer: Promise<Producer> | undefined;
  /** Records that are on their way. */
  #going = 0;
  #idle: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /** @throws QueueError */
  async append(topic: string, { key, value, headers }: QueueRecord): Promise<void> {
    if (this.#isClosed) throw new QueueError('closed', 'the queue is closed');
    clearTimeout(this.#idle);
    this.#producer ??= this.#open();
    const opening = this.#producer;
    this.#going += 1;
    try {
      const producer = await opening;
      const message = { key, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength), headers };
      await producer.send({ topic, acks: allReplicas, messages: [message] });
    } catch (error) {
      this.#giveUp(opening);
      throw kafkaTrouble(error, topic);
    } finally {
      this.#going -= 1;
      if (this.#going === 0 && !this.#isClosed)
        this.#idle = setTimeout(() => this.#giveUp(this.#producer), idleMs).unref();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    const producer = await this.#producer?.catch(() => undefined);
    await producer?.disconnect().catch(() => {});
  }

  #giveUp(given: Promise<Producer> | undefined): void {
    if (this.#producer === given) this.#producer = undefined;
    void given?.then((producer) => producer.disconnect()).catch(() => {});
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

const allReplicas = -1;
/** A Kafka takes longer to come back, however little it has kept. */
const idleMs = 2000;
