import type { Kafka, Producer } from 'kafkajs';
import { QueueError, type QueueRecord } from '../work-queue.ts';
import { kafkaTrouble } from './kafka-trouble.ts';

/**
 * Writes records, each kept by all replicas before it counts. A batch of the producer that fails is
 * written again under the same number, and the broker takes it once; after a failure for good that
 * number may have been used, and the next record under it would be taken for the same. So a
 * producer that failed is given up, and the next one begins to count anew.
 */
export class KafkaAppender {
  readonly #kafka: Kafka;
  #producer: Promise<Producer> | undefined;
  #isClosed = false;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /** @throws QueueError */
  async append(topic: string, { key, value, headers }: QueueRecord): Promise<void> {
    if (this.#isClosed) throw new QueueError('closed', 'the queue is closed');
    this.#producer ??= this.#open();
    const opening = this.#producer;
    try {
      const producer = await opening;
      const message = { key, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength), headers };
      await producer.send({ topic, acks: allReplicas, messages: [message] });
    } catch (error) {
      if (this.#producer === opening) this.#producer = undefined;
      void opening.then((producer) => producer.disconnect()).catch(() => {});
      throw kafkaTrouble(error, topic);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const producer = await this.#producer?.catch(() => undefined);
    await producer?.disconnect().catch(() => {});
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
