import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { KafkaQueue } from '../../src/queue/kafka/kafka-queue.ts';
import { MemoryQueue } from '../../src/queue/memory-queue.ts';
import type { Delivery, QueueError, QueueRecord, WorkQueue } from '../../src/queue/work-queue.ts';
import { kafkaLack, startKafka, type TestKafka } from '../kit/kafka.ts';
import { SecondKafkaQueue } from '../kit/second-kafka-queue.ts';

it('a Kafka to try is there on CI', () => {
  if (process.env.CI) expect(kafkaLack).toBeUndefined();
});

let kafka: TestKafka;
beforeAll(async () => {
  if (!kafkaLack) kafka = await startKafka(afterAll);
});

/** A queue that nobody else has, workers of it that come later, and what was put aside. */
type Opened = { queue: WorkQueue; again(): WorkQueue; dead(): Promise<readonly QueueRecord[]> };

/** The ways to a Kafka: the program's own client, and another. */
const clients = {
  own: ({ topic, deadTopic }: Topics) =>
    new KafkaQueue({ place: { brokers: [kafka.broker] }, topic, deadTopic, group: topic, onTrouble() {} }),
  another: (topics: Topics) => new SecondKafkaQueue({ broker: kafka.broker, ...topics, group: topics.topic }),
};
type Topics = { topic: string; deadTopic: string };
type Client = keyof typeof clients;

/** Topics that nobody else has, and who opens queues of them. */
async function newTopics(): Promise<(client: Client, topic?: string) => WorkQueue> {
  const name = randomBytes(6).toString('hex');
  const deadTopic = `${name}.dead`;
  await kafka.createTopic(name, 2, { 'max.message.bytes': '8000000' });
  await kafka.createTopic(deadTopic, 1);
  return (client, topic = name) => {
    const queue = clients[client]({ topic: topic === 'dead' ? deadTopic : topic, deadTopic });
    onTestFinished(() => queue.close());
    return queue;
  };
}

async function openKafka(client: Client): Promise<Opened> {
  const open = await newTopics();
  const dead = async (): Promise<readonly QueueRecord[]> => consumed(open(client, 'dead'), 1);
  return { queue: open(client), again: () => open(client), dead };
}

const kinds: readonly [string, () => Promise<Opened>][] = [
  [
    'memory',
    async () => {
      const queue = new MemoryQueue(Date.now);
      return { queue, again: () => queue, dead: async () => queue.dead };
    },
  ],
  ['Kafka', () => openKafka('own')],
  ['Kafka by another client', () => openKafka('another')],
];

describe.each(kafkaLack ? kinds.slice(0, 1) : kinds)('a queue of work (%s)', (_, open) => {
  it('delivers what was appended, as it was, with records of one key in their order', async () => {
    const { queue } = await open();
    for (let at = 0; at < 20; at += 1) await queue.append(record(`key ${at % 4}`, String(at)));
    const all = await consumed(queue, 20);
    expect(all[0]).toMatchObject({ headers: { lane: 'batch' } });
    expect(new Set(all.map(({ place }) => place)).size).toBe(20);
    for (let key = 0; key < 4; key += 1) {
      const values = all.filter((one) => one.key === `key ${key}`).map(({ value }) => Number(Buffer.from(value)));
      expect(values).toEqual([key, key + 4, key + 8, key + 12, key + 16]);
    }
  });

  it('takes a text that is read for two minutes', async () => {
    const { queue } = await open();
    const value = randomBytes(4_000_000);
    await queue.append({ key: 'a', value, headers: {} });
    const [found] = await consumed(queue, 1);
    expect(Buffer.from(found!.value).equals(value)).toBe(true);
  });

  it('puts a record aside with the reason and where it lay', async () => {
    const { queue, dead } = await open();
    await queue.append(record('a', 'rubbish'));
    const [found] = await consumed(queue, 1);
    await queue.deadLetter(found!, 'it cannot be read');
    await queue.commit(found!);
    const [aside] = await dead();
    expect(aside).toMatchObject({ key: 'a', headers: { lane: 'batch', 'dead-reason': 'it cannot be read' } });
    expect(aside!.headers['dead-from']).toBe(found!.place);
    expect(Buffer.from(aside!.value).toString()).toBe('rubbish');
  });

  it('takes nothing more once it is closed', async () => {
    const { queue } = await open();
    const over = queue.consume(async () => {});
    await queue.close();
    await over;
    await expect(queue.append(record('a', 'late'))).rejects.toMatchObject({ name: 'QueueError', why: 'closed' });
  });

  it('waits for the promise of one record before it hands over the next', async () => {
    const { queue } = await open();
    for (const value of ['1', '2', '3']) await queue.append(record('a', value));
    let atOnce = 0;
    let most = 0;
    let seen = 0;
    void queue.consume(async () => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      seen += 1;
    });
    await expect.poll(() => seen, patient).toBe(3);
    expect(most).toBe(1);
  });
});

describe.skipIf(kafkaLack !== undefined)('a queue in a Kafka', () => {
  it.each(['own', 'another'] as const)('delivers what was not committed once more (%s client)', async (client) => {
    const { queue, again } = await openKafka(client);
    for (let at = 0; at < 6; at += 1) await queue.append(record('a', String(at)));
    const first = await consumed(queue, 6);
    for (const at of [0, 1, 4, 3]) await queue.commit(first[at]!);
    await queue.close();
    const second = await consumed(again(), 4);
    expect(second.map(({ value }) => Buffer.from(value).toString())).toEqual(['2', '3', '4', '5']);
  });

  it.each([
    ['own', 'another'],
    ['another', 'own'],
  ] as const)('is one for every client: what the %s one appended and put aside %s reads', async (writer, reader) => {
    const open = await newTopics();
    const headers = { 'content-type': 'application/vnd.speechfb.retry.v1', 'replay-of': '1:2@3', name: 'Grüße' };
    const value = randomBytes(70_000);
    const [queue, other] = [open(writer), open(reader)];
    await queue.append({ key: 'Schlüssel', value, headers });
    const [found] = await consumed(other, 1);
    expect(found).toMatchObject({ key: 'Schlüssel', headers });
    expect(Buffer.from(found!.value).equals(value)).toBe(true);
    expect(Math.abs(found!.appendedMs - Date.now())).toBeLessThan(600_000);
    await queue.deadLetter(found!, 'it "cannot" be read: ü', 3);
    await other.commit(found!);
    const [aside] = await consumed(open(reader, 'dead'), 1);
    const { 'replay-of': _, ...kept } = headers;
    const dead = { 'dead-reason': 'it "cannot" be read: ü', 'dead-from': found!.place, 'dead-tries': '3' };
    expect(aside!.headers).toEqual({ ...kept, ...dead });
    expect(Buffer.from(aside!.value).equals(value)).toBe(true);
  });

  it('goes on where another client of its group has committed', async () => {
    const open = await newTopics();
    const first = open('another');
    for (const value of ['0', '1', '2']) await first.append(record('a', value));
    const seen = await consumed(first, 3);
    await first.commit(seen[0]!);
    await first.close();
    const second = await consumed(open('own'), 2);
    expect(second.map(({ value }) => Buffer.from(value).toString())).toEqual(['1', '2']);
  });

  it.each([
    ['no topic', () => ({ topic: 'nowhere' }), 'no_topic', 'Kafka has no topic nowhere'],
    ['nobody there', () => ({ brokers: ['127.0.0.1:9'] }), 'unreachable', 'Kafka does not answer'],
  ])('says in its own words that there is %s', async (_, changes, why, message) => {
    const { topic = 'nowhere', brokers = [kafka.broker] } = changes() as { topic?: string; brokers?: string[] };
    const troubles: QueueError[] = [];
    const onTrouble = (trouble: QueueError): void => void troubles.push(trouble);
    const queue = new KafkaQueue({ place: { brokers }, topic, deadTopic: 'dead', group: 'g', onTrouble });
    onTestFinished(() => queue.close());
    await expect(queue.append(record('a', 'x'))).rejects.toMatchObject({ name: 'QueueError', why, message });
    const consuming = queue.consume(async () => {});
    if (why === 'no_topic') await expect(consuming).rejects.toMatchObject({ why, message });
    else await expect.poll(() => troubles[0], patient).toMatchObject({ why, message });
  });
});

const patient = { timeout: 40_000, interval: 50 };

function record(key: string, value: string): QueueRecord {
  return { key, value: Buffer.from(value), headers: { lane: 'batch' } };
}

/** The first `count` records that come. */
async function consumed(queue: WorkQueue, count: number): Promise<Delivery[]> {
  const all: Delivery[] = [];
  queue.consume(async (delivery) => void all.push(delivery)).catch(() => {});
  await expect.poll(() => all.length, patient).toBeGreaterThanOrEqual(count);
  return all;
}
