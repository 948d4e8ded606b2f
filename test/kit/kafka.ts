import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { findKafka, KafkaProcess } from '../../src/load/service/kafka-process.ts';

/** Where `.ci/run` unpacks Kafka. */
const home = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'speechfb-ci/kafka-4.4.0');

/** Why nothing can be tried with a real Kafka here; undefined: it can. */
export const kafkaLack = lackOfKafka();
if (kafkaLack) console.warn(`SKIPPED: nothing was tried with a real Kafka: ${kafkaLack}`);

function lackOfKafka(): string | undefined {
  if (spawnSync('java', ['-version']).status !== 0) return 'there is no java (Debian: openjdk-17-jre-headless)';
  try {
    findKafka(home);
    return undefined;
  } catch {
    return `there are no jars of Kafka in ${home}/libs; .ci/run fetches them`;
  }
}

/** A Kafka of one broker, which a test may stop, kill and start again with what it has kept. */
export type TestKafka = {
  readonly broker: string;
  createTopic(topic: string, partitions?: number, config?: Record<string, string>): Promise<void>;
  /** How many records a topic has. */
  count(topic: string): Promise<number>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** The same with an empty disk. */
  startEmpty(): Promise<void>;
  /** Ends it, and the connections that look into it. */
  close(): Promise<void>;
};

/** A broker as load tests have it. @param onEnd registers what ends it, as `afterAll`. */
export async function startKafka(onEnd: (end: () => Promise<void>) => void): Promise<TestKafka> {
  const server = await begun(() => KafkaProcess.start([], undefined, home));
  const { broker } = server;
  const admin = new Kafka({ clientId: 'test', brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  const close = async (): Promise<void> => {
    server.signal('SIGCONT');
    await admin.disconnect().catch(() => {});
    await server.stop();
  };
  onEnd(close);
  await admin.connect();
  return {
    broker,
    async createTopic(topic, partitions = 3, config = {}) {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      await admin.createTopics({
        waitForLeaders: false,
        topics: [{ topic, numPartitions: partitions, configEntries }],
      });
      for (let tries = 0; !(await hasLeaders(admin, topic)); tries += 1) {
        if (tries > 600) throw new Error(`Kafka does not have ${topic}`);
        await wait(100);
      }
    },
    async count(topic) {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets.reduce((total, { low, high }) => total + Number(high) - Number(low), 0);
    },
    signal: (name) => void server.signal(name),
    kill: () => server.kill(),
    start: () => begun(() => server.restart()),
    startEmpty: () => begun(() => server.restartEmpty()),
    close,
  };
}

/** Somebody else may have had one of its ports for a moment. */
async function begun<Value>(start: () => Promise<Value>): Promise<Value> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start();
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

/** A broker that has made a topic may not know it for a moment, and then has no leaders of it. */
async function hasLeaders(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0));
  } catch {
    return false;
  }
}
