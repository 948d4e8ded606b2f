import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { speechfb } from '../kit/command.ts';
import { bin } from '../kit/program.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const own = '{name: own, kind: local, languages: [en], price: $0.0004/min}';
const played = '{name: played, kind: scripted, price: $0.006/min, script: {delay: 0ms, word: 100ms}}';

describe('speechfb serve --routing', () => {
  it.each([
    ['a log of usage without a policy', ['--usage-log', 'usage.jsonl'], /--usage-log needs --routing FILE/],
    ['a node', ['--role', 'inference', '--routing', 'default'], /--routing is not for --role inference/],
    ['how often flags are asked without a server of them', ['--flags-every', '5s'], /--flags-every needs --flags URL/],
    [
      'a server of flags that is asked without end',
      ['--flags', 'ofrep+http://127.0.0.1:1/', '--flags-every', '10ms'],
      /--flags-every: "10ms" is not from 1s to 10m/,
    ],
    ['a policy that is not there', ['--routing', 'no-such'], /no-such/],
  ])('refuses %s', async (_, flags, problem) => {
    const { status, stderr } = await speechfb('serve', '--port', '0', ...flags);
    expect([status, stderr]).toEqual([2, expect.stringMatching(problem)]);
  });

  it.each([
    ['a share of nobody', `[${own}]`, '{name: all, to: {owm: 100%}}', /policy\.yaml:7:\d+: .*"owm" is no backend/],
    [
      'an own model of every language',
      '[{name: own, kind: local, price: $0.0004/min}]',
      '{name: all, to: {own: 100%}}',
      /backend "own" is the own model, which hears en, and says no languages/,
    ],
  ])('says what is wrong with %s, and starts nothing', async (_, backends, rule, problem) => {
    const file = policyFile(backends, rule);
    const { status, stderr } = await speechfb('serve', '--port', '0', '--gateways', '1', '--routing', file);
    expect([status, stderr]).toEqual([2, expect.stringMatching(problem)]);
  });

  it('has another backend write the transcript, and writes down what that heard', async () => {
    const usage = join(temporaryDirectory(), 'usage.jsonl');
    const file = policyFile(`[${played}]`, '{name: all, to: {played: 100%}}');
    const { url, stop } = await start('--routing', file, '--usage-log', usage);
    const client = await connect(url);
    client.send(startMessage({ reference: { text: 'the cat sat on the mat' } }));
    expect(await client.until('ready')).toMatchObject({ backend: 'played' });
    client.frames(0, 49);
    client.send({ type: 'close' });
    expect(await client.until('utterance_final')).toMatchObject({
      text: 'the cat sat on the mat',
      backend: 'played',
      heard: 'nothing',
    });
    await client.closed;
    const metrics = await (await fetch(url.replace('ws:', 'http:').replace('/v1/stream', '/metrics'))).text();
    expect(metrics).toContain('speechfb_route_decisions_total{rule="all"} 1');
    expect(metrics).toMatch(/speechfb_backend_audio_seconds_total\{.*backend="played".*\} 1\n/);
    await stop();
    expect(JSON.parse(readFileSync(usage, 'utf8'))).toMatchObject({
      language: 'en-US',
      lane: 'live',
      part: false,
      backends: [{ name: 'played', audio_ms: 1000, dollars: 0.0001 }],
    });
  });
});

function policyFile(backends: string, rule: string): string {
  const file = join(temporaryDirectory(), 'policy.yaml');
  const head = 'apiVersion: speechfb.dev/v1alpha1\nkind: RoutingPolicy\nmetadata: {name: test}\nspec:\n';
  writeFileSync(file, `${head}  backends: ${backends}\n  rules:\n    - ${rule}\n`);
  return file;
}

/** A server of one process; `stop` resolves when it has drained. */
async function start(...flags: string[]): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [bin, 'serve', '--port', '0', '--gateways', '1', ...flags]);
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let said = '';
  const ready = new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const url = /ready at (\S+)\s/.exec(said)?.[1];
      if (url) resolve(url);
    });
  });
  const url = await Promise.race([ready, exited.then(() => Promise.reject(new Error('the server is gone')))]);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  return { url, stop };
}
