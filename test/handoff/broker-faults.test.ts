import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Handoff } from '../../src/handoff/handoff.ts';
import { HandoffWorker } from '../../src/handoff/handoff-worker.ts';
import { scoreHanded } from '../../src/handoff/score-handed.ts';
import { KafkaQueue } from '../../src/queue/kafka/kafka-queue.ts';
import { QueueError, type WorkQueue } from '../../src/queue/work-queue.ts';
import type { RunningServer } from '../../src/server/gateway/server.ts';
import { MemoryResultStore } from '../../src/stores/memory-result-store.ts';
import { kafkaLack, startKafka, type TestKafka } from '../kit/kafka.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import { scriptedEngine, scriptedScoring } from '../kit/server/scripted.ts';
import { serve } from '../kit/server/serve.ts';
import { readableLog, silentLog } from './kit.ts';

let kafka: TestKafka;
beforeAll(async () => {
  if (!kafkaLack) kafka = await startKafka(afterAll);
}, 240_000);

describe.skipIf(kafkaLack !== undefined)('learners of a server', () => {
  it('whose Kafka is killed, or is not there when it starts, notice nothing, and each result comes once', async () => {
    const [topic, other] = [await newTopic(), await newTopic()];
    const old = await opened(topic);
    const sessions = [await cutOff(old.server)];
    await expect.poll(() => old.handoff.numbers.outcomes.handed, patient).toBe(1);
    await kafka.kill();
    const young = await opened(other);
    const lost = [await cutOff(young.server)];
    sessions.push(await cutOff(old.server), await cutOff(old.server));
    for (const { server, said } of [old, young]) {
      await expect.poll(() => said, patient).toContain('utterances wait to be handed over: Kafka does not answer');
      expect(await read(server)).toBe('utterance_final');
    }
    await kafka.start();
    await scoredOnce(old, sessions);
    await scoredOnce(young, lost);
  }, 300_000);

  it('whose Kafka stands still notice nothing, and each result comes once', async () => {
    const service = await opened(await newTopic());
    const sessions = [await cutOff(service.server)];
    await expect.poll(() => service.handoff.numbers.outcomes.handed, patient).toBe(1);
    kafka.signal('SIGSTOP');
    sessions.push(await cutOff(service.server), await cutOff(service.server));
    const sentence = 'utterances wait to be handed over: neither the queue nor the store has answered for 5 s';
    await expect.poll(() => service.said, patient).toContain(sentence);
    expect(await read(service.server)).toBe('utterance_final');
    kafka.signal('SIGCONT');
    await scoredOnce(service, sessions);
  }, 300_000);
});

describe.skipIf(kafkaLack !== undefined)('a Kafka that comes back with an empty disk', () => {
  it('is written to, and read by the workers that were there, once it has its topics again', async () => {
    const topic = await newTopic();
    const service = await opened(topic);
    const one = service.worker(service.openQueue());
    void one.run();
    const isScored = (id: string) => expect.poll(() => service.results.read(id), patient).toMatchObject(done);
    await isScored(await cutOff(service.server));
    await kafka.startEmpty();
    const late = await cutOff(service.server);
    await expect
      .poll(() => service.said, patient)
      .toContain(`utterances wait to be handed over: Kafka has no topic ${topic}`);
    await newTopic(topic);
    await isScored(late);
    expect(one.counts).toMatchObject({ scored: 2, known: 0, dead: 0, gone: 0 });
  }, 300_000);
});

describe.skipIf(kafkaLack !== undefined)('a worker', () => {
  it('that dies between its result and the commit leaves one result, and its record to the next', async () => {
    const service = await opened(await newTopic());
    const sessions = [await cutOff(service.server), await cutOff(service.server)];
    await expect.poll(() => service.handoff.numbers.outcomes.handed, patient).toBe(2);
    const queue = service.openQueue();
    const dying: WorkQueue = {
      append: (record) => queue.append(record),
      consume: (handle) => queue.consume(handle),
      deadLetter: (...given) => queue.deadLetter(...given),
      close: () => queue.close(),
      commit: () => Promise.reject(new QueueError('failed', 'it was killed')),
    };
    const first = service.worker(dying);
    void first.run();
    await expect.poll(() => first.counts.scored, patient).toBe(2);
    const values = await Promise.all(sessions.map((id) => service.results.read(id)));
    await queue.close();
    const second = service.worker(service.openQueue());
    void second.run();
    await expect.poll(() => second.counts.known, patient).toBe(2);
    expect(second.counts.scored).toBe(0);
    expect(await Promise.all(sessions.map((id) => service.results.read(id)))).toEqual(values);
  }, 300_000);
});

const patient = { timeout: 100_000, interval: 50 };

/** The results of a session whose only utterance is scored. */
const done = { utterances: [{ state: 'done' }] };

type Service = Awaited<ReturnType<typeof opened>>;

async function newTopic(name = randomBytes(6).toString('hex')): Promise<string> {
  await kafka.createTopic(name, 2);
  await kafka.createTopic(`${name}.dead`, 1);
  return name;
}

/** What waits gets away, and a worker scores it. */
async function scoredOnce({ handoff, openQueue, results, worker }: Service, sessions: readonly string[]) {
  const outcomes = { handed: sessions.length, overflow: 0, expired: 0, refused: 0 };
  await expect.poll(() => handoff.numbers, patient).toMatchObject({ waiting: 0, outcomes });
  const one = worker(openQueue());
  void one.run();
  for (const id of sessions) {
    await expect.poll(() => results.read(id), patient).toMatchObject(done);
  }
  await one.drain(10_000);
  expect(one.counts).toMatchObject({ scored: sessions.length, dead: 0, gone: 0, expired: 0 });
}

/** A server that hands over to a topic of its own, and workers of it. */
async function opened(name: string) {
  const openQueue = (): KafkaQueue => {
    const place = { brokers: [kafka.broker] };
    const queue = new KafkaQueue({ place, topic: name, deadTopic: `${name}.dead`, group: name, onTrouble() {} });
    onTestFinished(() => queue.close());
    return queue;
  };
  const { log, said } = readableLog();
  const results = new MemoryResultStore(() => performance.now());
  const pause = (ms: number): Promise<void> => wait(ms, undefined, { ref: false });
  const keepMs = 600_000;
  const common = { results, region: '', keepMs, wallMs: Date.now, pause };
  const handoff = new Handoff({ ...common, queue: openQueue(), log, maxSoundBytes: 400_000, maxOutboxBytes: 1e7 });
  const server = await serve({ late: { handoff, results, keepMs }, limits: { resumeTtlMs: 200 } });
  const { readReference, openUtterance } = scriptedScoring;
  const scoring = { engine: () => scriptedEngine(), readReference, openUtterance };
  const worker = (queue: WorkQueue): HandoffWorker =>
    new HandoffWorker({
      ...{ ...common, queue, log: silentLog, atOnce: 2, tries: 3, random: Math.random },
      score: (head, utterance) => scoreHanded(scoring, head, utterance),
    });
  return { server, handoff, results, said, openQueue, worker };
}

/** A learner who is cut off while reading, and does not come back. @returns the session */
async function cutOff(server: RunningServer): Promise<string> {
  const client = await connect(server.url);
  client.send(startMessage());
  const { session_id } = await client.until('ready');
  client.frames(0, 24);
  await client.until('phoneme_feedback');
  client.cut();
  return session_id;
}

/** A learner who reads a text to its end. @returns what was heard of it last */
async function read(server: RunningServer): Promise<string> {
  const client = await connect(server.url);
  client.send(startMessage());
  await client.until('ready');
  client.frames(0, 24);
  await client.until('phoneme_feedback');
  await client.until('ack', ({ next_seq }) => next_seq === 25);
  client.send({ type: 'finalize' });
  const { type } = await client.until('utterance_final');
  client.cut();
  return type;
}
