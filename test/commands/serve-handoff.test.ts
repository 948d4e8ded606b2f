import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OtlpReceiver, receiveOtlp } from '../kit/otlp-receiver.ts';
import { bin } from '../kit/program.ts';
import { sendClip, startReading } from '../kit/server/reader.ts';
import { readClip } from '../kit/server/real.ts';

let child: ChildProcess;
let url: string;
let receiver: OtlpReceiver;

beforeAll(async () => {
  receiver = await receiveOtlp();
  const args = ['serve', '--port', '0', '--handoff', 'memory', '--resume-ttl', '200ms', '--log-level', 'warn'];
  // One that its share keeps would be kept for that.
  args.push('--otlp', receiver.url, '--trace-share', '0');
  child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [ready] = await once(createInterface(child.stdout!), 'line');
  url = / at (\S+) /.exec(String(ready))![1]!;
}, 120_000);

afterAll(async () => {
  receiver.close();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
});

it('a learner who was cut for good gets the final of the server that scored it meanwhile', async () => {
  const client = await startReading(url, readClip('monkeys'));
  const { session_id, resume_token } = client.of('ready')[0]!;
  sendClip(client, readClip('monkeys'), 0, 149);
  await client.until('phoneme_feedback');
  client.cut();
  const door = url.replace('ws:', 'http:').replace('/v1/stream', '');
  const ask = () =>
    fetch(`${door}/v1/sessions/${session_id}/results`, { headers: { authorization: `Bearer ${resume_token}` } });
  await expect.poll(async () => (await ask()).status, { timeout: 120_000, interval: 100 }).toBe(200);
  const { results } = (await (await ask()).json()) as { results: object[] };
  expect(results).toMatchObject([{ utterance_id: 1, state: 'done', final: { late: true, heard: 'text' } }]);
  const metrics = await (await fetch(`${door}/metrics`)).text();
  expect(metrics).toContain('speechfb_handoff_utterances_total{outcome="handed"} 1');
  expect(metrics).toContain('speechfb_late_utterances_total{outcome="scored"} 1');
  expect(metrics).toContain('speechfb_late_waiting_bytes 0');
  const span = (name: string) => receiver.spans().find((one) => one.name === name);
  await expect.poll(() => span('process handoff'), { timeout: 60_000 }).toBeDefined();
  const [utterance, send, work] = ['utterance', 'send handoff', 'process handoff'].map((name) => span(name)!);
  expect(utterance!.attributes).toMatchObject({ 'speechfb.kept': 'handed' });
  expect(send).toMatchObject({ kind: 4, traceId: utterance!.traceId, parentSpanId: utterance!.spanId });
  expect(work).toMatchObject({ kind: 5, links: [{ traceId: send!.traceId, spanId: send!.spanId }], hasFailed: false });
  expect(span('score')).toMatchObject({ traceId: work!.traceId, parentSpanId: work!.spanId, hasFailed: false });
  expect(JSON.stringify(receiver.documents)).not.toContain(session_id);
}, 240_000);
