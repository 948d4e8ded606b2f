import { execFile, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startProxy } from '../../src/proxy/proxy.ts';
import { parseTokens } from '../../src/server/admission/tokens.ts';
import { resolveNetworks } from '../../src/sim/networks/resolve.ts';
import { serve } from '../kit/server/serve.ts';

const root = resolve(import.meta.dirname, '../..');
const script = resolve(root, 'examples/python/client.py');
// Debian's own Python has Debian's packages; another one first on the path may not.
const python = ['/usr/bin/python3', 'python3'].find(
  (candidate) => spawnSync(candidate, ['-c', 'import websockets']).status === 0,
);
if (!python) console.warn('SKIPPED: the Python client was not tried, python3 with websockets is not installed');

describe.skipIf(!python)('the client in Python, written from docs/protocol.md', () => {
  it('does a whole session', async () => {
    const { url } = await serve();
    const { stdout } = await run([...clip, '--url', url]);
    expect(stdout).toContain('ready: scripted 0 on none, next seq 0');
    expect(stdout).toContain('utterance 1 is final (finalize, marker the end)');
    expect(stdout).toContain('closed: 1000 done');
    expect(phonesIn(stdout)).toEqual(['A 90', 'B 90', 'B 90', 'A 90']);
  });

  it('cut off amid its second utterance says every phone once', async () => {
    const { url } = await serve();
    const { stdout } = await run([...clip, '--url', url, '--times', '2', '--cut-at', '2.9']);
    expect(stdout).toMatch(/resumed: scripted 0 on none, next seq \d{3}/);
    expect(stdout).toContain('utterance 1 is final (next_utterance, marker None)');
    expect(stdout).toContain('utterance 2 is final (finalize, marker the end)');
    expect(phonesIn(stdout)).toHaveLength(8);
  });

  it('says the same through a network that delays and loses', async () => {
    const { port } = await serve();
    const network = resolveNetworks({ train: { up: { delay: 20_000, loss: { model: 'iid', share: 0.05 } } } }).get(
      'train',
    )!;
    const loopback = { host: '127.0.0.1', port: 0 };
    const proxy = await startProxy({
      network,
      seed: 1,
      listen: loopback,
      upstream: { ...loopback, port },
      onEvent() {},
    });
    const { stdout } = await run([...clip, '--url', `ws://127.0.0.1:${proxy.port}/v1/stream`]);
    const { up, connections } = proxy.stop();
    expect(stdout).toContain('closed: 1000 done');
    expect(phonesIn(stdout)).toEqual(['A 90', 'B 90', 'B 90', 'A 90']);
    expect(connections).toEqual({ accepted: 1, unreachable: 0, died: 0 });
    expect(up.p50_ms).toBeGreaterThanOrEqual(20);
  });

  it('shows its token', async () => {
    const { url } = await serve({ tokens: parseTokens('anna 0123456789abcdef', 'tokens') });
    await expect(run([...clip, '--url', url])).rejects.toThrow(
      /refused: the server wants a token that it knows: --token \[HTTP 401\]/,
    );
    await run([...clip, '--url', url, '--token', '0123456789abcdef']);
  });

  it('says how to start a server when there is none', async () => {
    await expect(run([...clip, '--url', 'ws://127.0.0.1:1/v1/stream'])).rejects.toThrow(/hint: start the server/);
  });
});

it.skipIf(!python)('the client in Python says which websockets it needs where there is none', async () => {
  const refused = promisify(execFile)(python!, ['-S', script, ...clip]);
  await expect(refused).rejects.toMatchObject({
    stderr: expect.stringMatching(/^this client needs websockets 10 or newer: .*\n$/),
  });
});

/** What websockets changes with its version: the name of the headers of `connect`, and which module has it. */
describe.skipIf(!python)('the client in Python with the names of another websockets', () => {
  it.each([
    ['10.4', 'extra_headers'],
    ['13.1', 'extra_headers'],
    ['14.0', 'additional_headers'],
    ['15.0.1', 'additional_headers'],
  ])('of version %s it gives headers as %s', async (version, parameter) => {
    const told = `
import asyncio, runpy, sys, types
fake = types.ModuleType("websockets")
fake.__version__ = "${version}"
async def connect(url, **options): return options
fake.connect = connect
sys.modules["websockets"] = fake
client = runpy.run_path("${script}")
print(asyncio.run(client["connect"]("ws://h", {"Authorization": "Bearer x"}))["${parameter}"])`;
    const { stdout } = await promisify(execFile)(python!, ['-c', told]);
    expect(stdout).toBe("{'Authorization': 'Bearer x'}\n");
  });
});

const clip = [resolve(root, 'fixtures/audio/leader.wav'), '--text', 'ab ba', '--speed', '10'];

function run(args: readonly string[]): Promise<{ stdout: string }> {
  return promisify(execFile)(python!, [script, ...args]);
}

function phonesIn(output: string): string[] {
  return output
    .split('\n')
    .flatMap((line) => /phones: (.*)/.exec(line)?.[1]?.split('  ') ?? [])
    .filter((phone) => phone !== '');
}
