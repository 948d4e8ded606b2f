import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { main } from '../../src/cli.ts';
import { writeHead } from '../../src/handoff/record.ts';
import { KafkaQueue } from '../../src/queue/kafka/kafka-queue.ts';
import { kafkaLack, startKafka, type TestKafka } from '../kit/kafka.ts';
import { receiveOtlp } from '../kit/otlp-receiver.ts';
import { startRedis } from '../kit/redis.ts';
import { redisLack } from '../kit/redis-lack.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import { readClip } from '../kit/server/real.ts';

const lack = kafkaLack ?? redisLack;
let kafka: TestKafka;
beforeAll(async () => {
  if (!kafkaLack) kafka = await startKafka(afterAll);
}, 240_000);

describe.skipIf(lack !== undefined)('a server, a worker and a real Kafka', () => {
  it('score for a learner who was cut for good, who gets the final over HTTP', async () => {
    const region = randomBytes(4).toString('hex');
    for (const topic of ['retry', 'retry.dlq']) {
      await kafka.createTopic(`speechfb.${topic}.v1.${region}`, 2, { 'max.message.bytes': '8388608' });
    }
    const { url: store } = await startRedis();
    const receiver = await receiveOtlp();
    onTestFinished(() => receiver.close());
    const common = ['--store', store, '--kafka', kafka.broker, '--region', region, '--log-level', 'warn'];
    common.push('--otlp', receiver.url);
    // One that its share keeps would be kept for that.
    const serving = [
      '--port',
      '0',
      '--gateways',
      '1',
      '--keep-audio',
      '1h',
      '--resume-ttl',
      '1s',
      '--trace-share',
      '0',
    ];
    const [server, worker] = [started('serve', [...common, ...serving]), started('worker', common)];
    const url = /(ws:\S+)/.exec(await firstLine(server))![1]!;
    expect(await firstLine(worker)).toContain(`worker ready for speechfb.retry.v1.${region}`);
    const client = await connect(url);
    const clip = readClip('monkeys');
    client.send({
      ...startMessage(),
      audio: { encoding: 'pcm_s16le', sample_rate: clip.sampleRateHz, channels: 1 },
      reference: { text: clip.text },
    });
    const { session_id, resume_token } = await client.until('ready');
    const size = clip.sampleRateHz / 50;
    for (let seq = 0; (seq + 1) * size <= clip.samples.length && seq < 200; seq += 1) {
      client.frame(seq, { firstSample: seq * size, samples: clip.samples.slice(seq * size, (seq + 1) * size) });
    }
    await client.until('phoneme_feedback');
    client.cut();
    const results = url.replace('ws:', 'http:').replace('/v1/stream', `/v1/sessions/${session_id}/results`);
    const ask = () => fetch(results, { headers: { authorization: `Bearer ${resume_token}` } });
    await expect.poll(async () => (await ask()).status, { timeout: 120_000, interval: 250 }).toBe(200);
    const body = (await (await ask()).json()) as { results: object[] };
    expect(body.results).toHaveLength(1);
    expect(body.results[0]).toMatchObject({ utterance_id: 1, state: 'done', final: { late: true, heard: 'text' } });
    const topic = `speechfb.retry.v1.${region}`;
    const spans = (name: string) => receiver.spans().filter((one) => one.name === name);
    // What failed for a moment was tried again, and has a span too.
    const found = () => {
      const [score] = spans('score').filter(({ hasFailed }) => !hasFailed);
      const work = spans(`process ${topic}`).find(({ spanId }) => spanId === score?.parentSpanId);
      const send = spans(`send ${topic}`).find(({ spanId }) => spanId === work?.links[0]?.spanId);
      const utterance = spans('utterance').find(({ spanId }) => spanId === send?.parentSpanId);
      return utterance && { work: work!, send: send!, utterance };
    };
    await expect.poll(found, { timeout: 60_000 }).toBeDefined();
    const { work, send, utterance } = found()!;
    expect(utterance.attributes).toMatchObject({ 'speechfb.kept': 'handed', 'speechfb.outcome': 'abandoned' });
    expect(send).toMatchObject({ kind: 4, traceId: utterance.traceId, hasFailed: false });
    expect(work).toMatchObject({ kind: 5, links: [{ traceId: send.traceId, spanId: send.spanId }] });
    expect(work.attributes).toMatchObject({ 'messaging.system': 'kafka', 'messaging.destination.name': topic });
    expect(JSON.stringify(receiver.documents)).not.toContain(session_id);
  }, 300_000);
});

describe.skipIf(kafkaLack !== undefined)('speechfb dlq and a real Kafka', () => {
  it('lists what was put aside, shows one, and gives it back once', async () => {
    const region = randomBytes(4).toString('hex');
    const topics = { topic: `speechfb.retry.v1.${region}`, deadTopic: `speechfb.retry.dlq.v1.${region}` };
    const args = ['--kafka', kafka.broker, '--region', region];
    expect(await ran(['dlq', 'list', ...args])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`Kafka has no topic ${topics.deadTopic}`),
    });
    for (const topic of Object.values(topics)) await kafka.createTopic(topic, 2);
    expect(await ran(['dlq', 'list', ...args])).toMatchObject({
      code: 0,
      stdout: `${topics.deadTopic} has no such dead letters\n`,
    });
    const queue = new KafkaQueue({ place: { brokers: [kafka.broker] }, ...topics, group: 'g', onTrouble() {} });
    onTestFinished(() => queue.close());
    const head = {
      session: 's-1',
      utterance: 4,
      region,
      model: 'm 1',
      createdMs: 5,
      expiresMs: Date.now() + 3_600_000,
    };
    for (const key of ['a', 'b', 'c']) {
      const delivery = { key, value: writeHead(head), headers: {}, place: '1:7', appendedMs: 0 };
      await queue.deadLetter(delivery, `it \u001b[31mfailed ${key}`, 5);
    }
    const listed = await ran(['dlq', 'list', '--json', ...args]);
    const { letters } = JSON.parse(listed.stdout) as { letters: { id: string; reason: string }[] };
    expect(letters).toHaveLength(3);
    expect(letters[0]).toMatchObject({ session: 's-1', utterance: 4, tries: 5, from: '1:7', replayed_ms: null });
    const { id } = letters.find(({ reason }) => reason.endsWith('b'))!;
    const shown = await ran(['dlq', 'show', id, ...args]);
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('s-1') });
    expect(shown.stdout).not.toContain('\u001b');
    expect(await ran(['dlq', 'replay', id, ...args])).toMatchObject({
      code: 0,
      stdout: `1 dead letter went back to ${topics.topic}\n`,
    });
    expect(await ran(['dlq', 'replay', id, ...args])).toMatchObject({
      code: 99,
      stdout: '1 left alone: replayed before\n',
    });
    const rest = await ran(['dlq', 'replay', '--all', '--json', ...args]);
    expect(JSON.parse(rest.stdout)).toMatchObject({ already: 1, expired: 0, replayed: { length: 2 } });
    expect(await kafka.count(topics.topic)).toBe(3);
    expect(await ran(['dlq', 'show', '9:99', ...args])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${topics.deadTopic} has no dead letter 9:99 [no_letter]`),
    });
  }, 300_000);
});

it.each([
  ['dlq list', [], 'dlq needs --kafka'],
  ['dlq list', ['--kafka', 'h'], 'is no broker'],
  ['dlq list', ['--kafka', '127.0.0.1:9'], 'Kafka does not answer'],
  ['dlq list', ['--kafka', 'h:1', '--limit', '0'], 'allowed: 1 to 10000'],
  ['dlq show', ['seven', '--kafka', 'h:1'], '"seven" is no id of a dead letter; allowed: partition:offset'],
  ['dlq show', ['1:-2', '--kafka', 'h:1'], '"1:-2" is no id of a dead letter'],
  ['dlq replay', ['--kafka', 'h:1'], 'needs an id, or --all'],
  ['dlq replay', ['0:1', '--all', '--kafka', 'h:1'], 'takes an id or --all, not both'],
  ['dlq replay', ['0:1', '--reason', 'x', '--kafka', 'h:1'], '--reason goes with --all'],
  ['serve', ['--kafka', 'nowhere'], 'is no broker'],
  ['serve', ['--kafka', 'host:9092'], 'needs a store'],
  ['serve', ['--keep-audio', '1h'], '--keep-audio needs --kafka'],
  ['serve', ['--handoff', 'memory', '--kafka', 'h:1'], 'not with --kafka'],
  ['serve', ['--handoff', 'memory', '--gateways', '2'], '--gateways 2 has several'],
  ['serve', ['--handoff', 'memory', '--role', 'gateway', '--node', '127.0.0.1:1'], 'is not for --role gateway'],
  ['serve', ['--handoff', 'memory', '--role', 'inference'], 'is not for --role inference'],
  ['serve', ['--handoff', 'disk'], 'memory'],
  ['worker', ['--store', 'redis://h:1'], 'a worker needs --kafka'],
  ['worker', ['--store', 'memory', '--kafka', 'h:1'], 'is of one process'],
  ['worker', ['--store', 'redis://h:1', '--kafka', 'h:1', '--kafka-user', 'a:b'], 'needs --kafka-tls'],
])('%s %j is refused in one sentence', async (verb, args, sentence) => {
  const { code, stderr } = await ran([...verb.split(' '), ...args]);
  expect(code).toBe(2);
  expect(stderr).toContain(sentence);
});

/** One command line in this process: its exit code and what it wrote. */
async function ran(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text);
      return true;
    }),
  );
  try {
    const code = await main(args);
    return { code, ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function started(verb: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['bin/speechfb', verb, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  });
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return line;
  throw new Error('the program has said nothing');
}
