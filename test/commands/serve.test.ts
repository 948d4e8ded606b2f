import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bin } from '../kit/program.ts';
import { lastFrame, sendClip, startReading } from '../kit/server/reader.ts';
import { readClip } from '../kit/server/real.ts';

describe('speechfb serve', () => {
  it('on SIGTERM gives each of 20 live sessions its final and exits 0', async () => {
    const { child, url } = await start();
    const clip = readClip('leader');
    const clients = await Promise.all(Array.from({ length: 20 }, () => startReading(url, clip)));
    for (const client of clients) sendClip(client, clip, 0, Math.floor(lastFrame(clip) / 2));
    await Promise.all(clients.map((client) => client.until('phoneme_feedback')));
    child.kill('SIGTERM');
    for (const client of clients) {
      expect((await client.closed).code).toBe(1001);
      expect(client.of('go_away')).toMatchObject([{ deadline_ms: 10_000 }]);
      expect(client.of('utterance_final')).toMatchObject([{ reason: 'drain' }]);
      expect(client.of('utterance_final')[0]!.words[0]!.phonemes[0]!.accuracy).not.toBeNull();
      expect(client.of('error')).toEqual([]);
    }
    expect(await exitOf(child)).toBe(0);
  });

  it('on a second signal ends at once', async () => {
    const { child, url } = await start();
    const client = await startReading(url, readClip('leader'));
    client.socket.pause();
    child.kill('SIGTERM');
    await expect.poll(() => readyStatus(url)).toBe(503);
    child.kill('SIGINT');
    expect(await exitOf(child)).toBe(130);
  });

  it('serves readiness and metrics beside the stream', async () => {
    const { url } = await start();
    expect(await readyStatus(url)).toBe(200);
    const metrics = await (await fetch(new URL('/metrics', url.replace('ws', 'http')))).text();
    expect(metrics).toMatch(/speechfb_build_info\{version="\d+\.\d+\.\d+",node="v\d+[^"]*",provider="cpu"\} 1/);
  });

  it('lets a load test kill its model only when it was started for that', async () => {
    const faultsOf = (url: string) => new URL('/faults/inference', url.replace('ws', 'http'));
    const kill = { method: 'POST', body: '{"action":"kill"}' };
    const [willing, plain] = await Promise.all([
      start(['--fault-injection', '--limit', 'inference_timeout_ms=60000']),
      start(),
    ]);
    expect((await fetch(faultsOf(plain.url), kill)).status).toBe(403);
    expect((await fetch(faultsOf(willing.url), kill)).status).toBe(202);
    const client = await startReading(willing.url, readClip('leader'));
    sendClip(client, readClip('leader'), 0, 50);
    await client.until('phoneme_feedback');
    willing.child.kill('SIGTERM');
    expect(await exitOf(willing.child)).toBe(0);
  });

  it.each([
    ['an address of the network without protection', ['--host', '0.0.0.0', '--port', '0'], /\[unsafe_host\]/],
    ['a key without its certificate', ['--tls-key', 'key.pem'], /--tls-key needs --tls-cert.*\[bad_tls\]/],
    ['a token file that is not there', ['--token-file', 'none'], /cannot read the token file none.*\[bad_token_file\]/],
    [
      'a port that is no number',
      ['--port', 'http'],
      /--port: "http" is not a whole number; allowed: 0 to 65535 \[bad_flag\]/,
    ],
    ['a port that no machine has', ['--port', '99999'], /--port: "99999" is not a whole number; allowed: 0 to 65535/],
    [
      'an unknown limit',
      ['--limit', 'idle_time_ms=5'],
      /--limit: "idle_time_ms" is not a limit \(did you mean "idle_timeout_ms"\?\)/,
    ],
    [
      'a limit of nothing',
      ['--limit', 'idle_timeout_ms=0'],
      /idle_timeout_ms: 0 is not allowed; allowed: a number from 1/,
    ],
    [
      'a limit beyond its range',
      ['--limit', 'max_utilisation=5'],
      /max_utilisation: 5 is not allowed; allowed: .* to 1/,
    ],
    ['a duration without a unit', ['--resume-ttl', '30'], /--resume-ttl: duration "30" has no unit.*\[bad_unit\]/],
    [
      'a host that is none',
      ['--allow-host', 'class.example/x'],
      /--allow-host "class\.example\/x" is not the name of a host.*\[bad_flag\]/,
    ],
    [
      'no proxy to trust',
      ['--trust-proxy', '0'],
      /--trust-proxy: "0" is not a whole number; allowed: 1 to 16 \[bad_flag\]/,
    ],
    [
      'faults for everybody behind a proxy',
      ['--fault-injection', '--trust-proxy', '1', '--port', '0'],
      /anyone behind the proxy stall or kill the model \[unsafe_faults\]/,
    ],
    ['a model that is not there', ['--model', 'none'], /\[model_not_found\]/],
    ['a device that does not exist', ['--device', 'tpu'], /tpu/],
    ['an unknown flag', ['--prot', '1'], /--port/],
  ])('refuses %s', async (_, flags, sentence) => {
    const child = spawn(process.execPath, [bin, 'serve', ...flags]);
    const error = await textOf(child.stderr);
    expect(error).toMatch(sentence);
    expect(await exitOf(child)).toBe(2);
  });

  it('names a port that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const port = String((other.address() as { port: number }).port);
    const child = spawn(process.execPath, [bin, 'serve', '--port', port]);
    expect(await textOf(child.stderr)).toMatch(
      new RegExp(`port ${port} on 127.0.0.1 is in use \\[port_in_use\\]\\n  hint: `),
    );
    expect(await exitOf(child)).toBe(2);
  });
});

async function start(flags: readonly string[] = []): Promise<{ child: ChildProcess; url: string }> {
  const usual = ['serve', '--port', '0', '--device', 'cpu', '--log-level', 'error'];
  const child = spawn(process.execPath, [bin, ...usual, ...flags]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  for await (const chunk of child.stdout) {
    said += chunk;
    const url = /ready at (ws:\S+)\s/.exec(said)?.[1];
    if (url) return { child, url };
  }
  throw new Error('the server ended before it was ready');
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

async function readyStatus(url: string): Promise<number> {
  return (await fetch(new URL('/readyz', url.replace('ws', 'http')))).status;
}
