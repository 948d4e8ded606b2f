import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { main } from '../../src/cli.ts';
import { kafkaLack, startKafka, type TestKafka } from '../kit/kafka.ts';
import { startRedis } from '../kit/redis.ts';
import { redisLack } from '../kit/redis-lack.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import { readClip } from '../kit/server/real.ts';

const lack = kafkaLack ?? redisLack;
let kafka: TestKafka;
beforeAll(async () => {
  if (!lack) kafka = await startKafka(afterAll);
}, 240_000);

describe.skipIf(lack !== undefined)('a server, a worker and a real Kafka', () => {
  it('score for a learner who was cut for good, who gets the final over HTTP', async () => {
    const region = randomBytes(4).toString('hex');
    for (const topic of ['retry', 'retry.dlq']) {
      await kafka.createTopic(`speechfb.${topic}.v1.${region}`, 2, { 'max.message.bytes': '8388608' });
    }
    const { url: store } = await startRedis();
    const common = ['--store', store, '--kafka', kafka.broker, '--region', region, '--log-level', 'warn'];
    const [server, worker] = [
      started('serve', [...common, '--port', '0', '--gateways', '1', '--keep-audio', '1h', '--resume-ttl', '1s']),
      started('worker', common),
    ];
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
  }, 300_000);
});

it.each([
  ['serve', ['--kafka', 'nowhere'], 'is no broker'],
  ['serve', ['--kafka', 'host:9092'], 'needs a store'],
  ['serve', ['--keep-audio', '1h'], '--keep-audio needs --kafka'],
  ['worker', ['--store', 'redis://h:1'], 'a worker needs --kafka'],
  ['worker', ['--store', 'memory', '--kafka', 'h:1'], 'is of one process'],
  ['worker', ['--store', 'redis://h:1', '--kafka', 'h:1', '--kafka-user', 'a:b'], 'needs --kafka-tls'],
])('%s %j is refused in one sentence', async (verb, args, sentence) => {
  const said: string[] = [];
  const write = process.stderr.write;
  process.stderr.write = (text: string | Uint8Array) => said.push(String(text)) > 0;
  onTestFinished(() => {
    process.stderr.write = write;
  });
  expect(await main([verb, ...args])).toBe(2);
  expect(said.join('')).toContain(sentence);
});

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
