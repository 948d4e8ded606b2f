import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { SpeechfbError } from '../../errors.ts';
import { giveWay } from '../../threads/give-way.ts';
import type { FaultyQueue } from '../fault/definition/definition.ts';
import { freePort } from './free-port.ts';
import { Guard } from './guard.ts';
import { ServiceDirectory } from './service-directory.ts';

/**
 * A real Kafka of one broker (KRaft mode) on loopback, of the installation that KAFKA_HOME names.
 * What it keeps outlives its process, and goes with `stop`.
 */
export class KafkaProcess implements FaultyQueue {
  readonly broker: string;
  readonly #jars: string;
  readonly #directory = new ServiceDirectory();
  readonly #port: number;
  readonly #controller: number;
  #server: JavaProcess | undefined;
  #starting: Promise<void> = Promise.resolve();
  #isBesideLearners = false;
  #isOver = false;

  private constructor(jars: string, port: number, controller: number) {
    this.#jars = jars;
    this.#port = port;
    this.#controller = controller;
    this.broker = `127.0.0.1:${port}`;
  }

  /**
   * Resolves when it has these topics. Error: `server_failed`.
   *
   * @param home where that Kafka was unpacked; default: what KAFKA_HOME names
   */
  static async start(topics: readonly string[], signal?: AbortSignal, home?: string): Promise<KafkaProcess> {
    const jars = findKafka(home);
    const kafka = new KafkaProcess(jars, await freePort(), await freePort());
    try {
      await kafka.#format();
      await kafka.#run(signal);
      if (topics.length > 0) await kafka.#createTopics(topics);
      kafka.#giveWay();
      return kafka;
    } catch (error) {
      await kafka.stop();
      if (error instanceof SpeechfbError) throw error;
      throw failed(`Kafka did not start on port ${kafka.#port}`, error);
    }
  }

  /** It may run beside learners from now on: before, it would start for minutes. */
  #giveWay(): void {
    this.#isBesideLearners = true;
    this.#server?.giveWay();
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): string | undefined {
    return this.#server?.signal(signal) ? undefined : 'the Kafka is gone';
  }

  startAgain(): void {
    if (this.#isOver) return;
    // One that does not come back is missed by the gateways, and that is measured.
    this.#starting = this.restart().catch(() => {});
  }

  /** Resolves when it is gone; what it has kept stays. */
  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  /** Ends it, where it is there, and resolves when it listens again. Error: `server_failed`. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#run();
  }

  /** The same with a disk on which there is nothing: neither topics nor what they had. */
  async restartEmpty(): Promise<void> {
    await this.kill();
    rmSync(this.#directory.path('data'), { recursive: true, force: true });
    await this.#format();
    await this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.kill();
    await this.#starting;
    await this.kill();
    this.#directory.remove();
  }

  async #format(): Promise<void> {
    const data = this.#directory.path('data');
    const [port, controller] = [this.#port, this.#controller];
    this.#directory.write(configurationFile, configuration({ port, controller, data }));
    const id = randomBytes(16).toString('base64url');
    const config = this.#directory.path(configurationFile);
    // An id may not begin with a dash, which its tool takes for a flag.
    const named = `--cluster-id=${id}`;
    const tool = new JavaProcess(this.#jars, [
      'kafka.tools.StorageTool',
      'format',
      '--standalone',
      named,
      '-c',
      config,
    ]);
    const code = await tool.exited;
    if (code !== 0) throw failed(`Kafka's storage could not be formatted (exit ${code})`);
  }

  /** Resolves when it listens. */
  async #run(signal?: AbortSignal): Promise<void> {
    const server = new JavaProcess(this.#jars, ['kafka.Kafka', this.#directory.path(configurationFile)]);
    this.#server = server;
    if (this.#isBesideLearners) server.giveWay();
    const untilMs = Date.now() + startupMs;
    while (server.isThere && Date.now() < untilMs && !signal?.aborted && !this.#isOver) {
      if (await listens(this.#port)) return;
      await wait(100);
    }
    await server.kill();
    throw failed(`Kafka did not start on port ${this.#port}`);
  }

  async #createTopics(topics: readonly string[]): Promise<void> {
    const retry = { retries: 20, initialRetryTime: 100, maxRetryTime: 1000 };
    const kafka = new Kafka({ clientId: 'speechfb', brokers: [this.broker], logLevel: logLevel.NOTHING, retry });
    const admin = kafka.admin();
    try {
      await admin.connect();
      const configEntries = [{ name: 'max.message.bytes', value: '8388608' }];
      const wanted = topics.map((topic) => ({ topic, numPartitions: 4, configEntries }));
      await admin.createTopics({ waitForLeaders: true, topics: wanted });
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }
}

/** A Java program in a group of its own, which does not see that the load test is gone. */
class JavaProcess {
  /** Its exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(jars: string, args: readonly string[]) {
    const small = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    this.#child = spawn('java', [...small, '-cp', `${jars}/*`, ...args], { stdio: 'ignore', detached: true });
    const guard = this.#child.pid === undefined ? undefined : new Guard(this.#child.pid);
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', resolve);
      this.#child.once('error', () => resolve(null));
    });
    void this.exited.then(() => guard?.release());
  }

  get isThere(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
  }

  giveWay(): void {
    giveWay(this.#child.pid);
  }

  /** False when it is gone. */
  signal(signal: NodeJS.Signals): boolean {
    return this.isThere && this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.signal('SIGKILL')) await this.exited;
  }
}

/**
 * Where the jars of a Kafka are.
 *
 * @throws SpeechfbError `server_failed` when KAFKA_HOME names none
 */
export function findKafka(home: string | undefined = process.env.KAFKA_HOME): string {
  const jars = home === undefined || home === '' ? undefined : join(home, 'libs');
  if (jars !== undefined && existsSync(jars) && readdirSync(jars).some((name) => /^kafka_.*\.jar$/.test(name)))
    return jars;
  const where = home ? `"${home}", where no Kafka is` : 'not set';
  throw new SpeechfbError('server_failed', `target.embedded.handoff is kafka, but KAFKA_HOME is ${where}`, {
    hint: 'unpack a Kafka, which needs java on PATH, and name its directory in KAFKA_HOME; or leave target.embedded.handoff out',
  });
}

function failed(message: string, cause?: unknown): SpeechfbError {
  const hint = 'it needs Java 17 or newer on PATH; bin/kafka-server-start.sh of that Kafka by itself shows why';
  return new SpeechfbError('server_failed', message, { hint, ...(cause !== undefined && { cause }) });
}

function configuration({ port, controller, data }: { port: number; controller: number; data: string }): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=${data}
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

const configurationFile = 'server.properties';
/** A JVM takes some seconds, and a broker that was killed looks through what it has kept. */
const startupMs = 120_000;
