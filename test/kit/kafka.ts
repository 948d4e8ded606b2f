import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { freePort } from './free-port.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Where `.ci/run` puts the jars of Kafka. */
const jars = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'speechfb-ci/kafka-4.4.0/libs');

/** Why nothing can be tried with a real Kafka here; undefined: it can. */
export const kafkaLack = lackOfKafka();
if (kafkaLack) console.warn(`SKIPPED: nothing was tried with a real Kafka: ${kafkaLack}`);

function lackOfKafka(): string | undefined {
  if (spawnSync('java', ['-version']).status !== 0) return 'there is no java (Debian: openjdk-17-jre-headless)';
  const has = existsSync(jars) && readdirSync(jars).some((name) => name.startsWith('kafka_'));
  return has ? undefined : `there are no jars of Kafka in ${jars}; .ci/run fetches them`;
}

/** A Kafka of one broker, which a test may stop, kill and start again with what it has kept. */
export type TestKafka = {
  readonly broker: string;
  createTopic(topic: string, partitions?: number, config?: Record<string, string>): Promise<void>;
  /** How many records a topic has. */
  count(topic: string): Promise<number>;
  signal(name: NodeJS.Signals): void;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it, and the connections that look into it. */
  close(): Promise<void>;
};

/** A broker in KRaft mode. @param onEnd registers what ends it, as `afterAll`. */
export async function startKafka(
  onEnd: (end: () => Promise<void>) => void,
  { logDirectory }: { logDirectory?: string } = {},
): Promise<TestKafka> {
  const directory = temporaryDirectory();
  const [port, controller] = [await freePort(), await freePort()];
  const properties = join(directory, 'server.properties');
  writeFileSync(properties, configuration(port, controller, logDirectory ?? join(directory, 'data')));
  const id = randomBytes(16).toString('base64url');
  // An id that begins with a dash would be taken for a flag.
  const format = ['format', '--standalone', `--cluster-id=${id}`, '-c', properties];
  const formatted = java(['kafka.tools.StorageTool', ...format]);
  await new Promise((resolve) => formatted.once('exit', resolve));
  const broker = `127.0.0.1:${port}`;
  const kafka = new Kafka({ clientId: 'test', brokers: [broker], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  let server: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const going = server;
    server = undefined;
    if (!going || going.exitCode !== null || going.signalCode !== null) return;
    const gone = new Promise((resolve) => going.once('exit', resolve));
    going.kill('SIGKILL');
    await gone;
  };
  const start = async (): Promise<void> => {
    server = java(['kafka.Kafka', properties]);
    for (let tries = 0; !(await listens(port)); tries += 1) {
      if (tries > 1200) throw new Error('Kafka does not listen');
      // Somebody else may have had one of its ports for a moment.
      if (server.exitCode !== null) server = java(['kafka.Kafka', properties]);
      await wait(100);
    }
  };
  const close = async (): Promise<void> => {
    server?.kill('SIGCONT');
    await admin.disconnect().catch(() => {});
    await kill();
  };
  onEnd(close);
  await start();
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
    signal: (name) => void server?.kill(name),
    kill,
    start,
    close,
  };
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

function java(args: readonly string[]): ChildProcess {
  const small = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  return spawn('java', [...small, '-cp', `${jars}/*`, ...args], { stdio: 'ignore' });
}

function configuration(port: number, controller: number, directory: string): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=${directory}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
`;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => done(true));
    const done = (does: boolean): void => {
      socket.destroy();
      resolve(does);
    };
    socket.on('error', () => done(false));
  });
}
