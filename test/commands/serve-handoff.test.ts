import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bin } from '../kit/program.ts';
import { sendClip, startReading } from '../kit/server/reader.ts';
import { readClip } from '../kit/server/real.ts';

let child: ChildProcess;
let url: string;

beforeAll(async () => {
  const args = ['serve', '--port', '0', '--handoff', 'memory', '--resume-ttl', '200ms', '--log-level', 'warn'];
  child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [ready] = await once(createInterface(child.stdout!), 'line');
  url = / at (\S+) /.exec(String(ready))![1]!;
}, 120_000);

afterAll(async () => {
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
}, 240_000);
