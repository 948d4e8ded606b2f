import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Peer, type Script, startHostileServer } from '../kit/hostile-server.ts';
import { childrenOf, isAlive } from '../kit/processes.ts';
import { bin } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';
import { raw } from '../kit/websocket.ts';

const scratch = temporaryDirectory();
/** Two seconds are promised, of which a slow machine makes more; without Ctrl-C it would be twice as long. */
const soonMs = 15_000;
const soon = { timeout: 30_000, interval: 20 };

const floods: [string, Script][] = [
  ['empty fragments', { start: (peer) => (peer.bytes(raw(0x01, '')), flood(peer, Buffer.alloc(2))) }],
  ['pings', { start: (peer) => flood(peer, raw(0x89, '')) }],
  ['messages that are none', { start: (peer) => (peer.ready(), flood(peer, raw(0x81, '{"a":1}'))) }],
  ['feedback', { start: (peer) => (peer.ready(), flood(peer, raw(0x81, feedback(peer)))) }],
];

describe('a load test of a server that floods it', () => {
  it.each(floods)('with %s ends on Ctrl-C with 130 and leaves no process', async (_, script) => {
    const { child, processes } = await loadtest(script);
    child.kill('SIGINT');
    const began = performance.now();
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect(performance.now() - began).toBeLessThan(soonMs);
    await vi.waitFor(() => expect(processes.filter(isAlive)).toEqual([]), soon);
  });

  it.each(floods)('with %s takes its generators with it when it is killed', async (_, script) => {
    const { child, processes } = await loadtest(script);
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(processes.filter(isAlive)).toEqual([]), soon);
  });

  it('ends on Ctrl-C though a generator hears nothing any more', async () => {
    const { child, processes } = await loadtest({});
    process.kill(processes[0]!, 'SIGSTOP');
    child.kill('SIGINT');
    const began = performance.now();
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect(performance.now() - began).toBeLessThan(soonMs);
    await vi.waitFor(() => expect(processes.filter(isAlive)).toEqual([]), soon);
  });

  it('ends at once with 130 on a second Ctrl-C', async () => {
    const { child, processes } = await loadtest({});
    process.kill(processes[0]!, 'SIGSTOP');
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([130, null]);
    await vi.waitFor(() => expect(processes.filter(isAlive)).toEqual([]), soon);
  });
});

describe('a recording that is played to a server that floods it', () => {
  it.each(floods.slice(1, 2))('with %s ends on Ctrl-C with 130', async (_, script) => {
    const server = await startHostileServer(script);
    onTestFinished(() => server.close());
    const clip = ['fixtures/audio/service.wav', '--text', 'a', '--ready-timeout', '1m'];
    const child = spawn(process.execPath, [bin, 'stream', ...clip, '--url', server.url], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    await vi.waitFor(() => expect(server.peers).toHaveLength(1), soon);
    child.kill('SIGINT');
    const began = performance.now();
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect(performance.now() - began).toBeLessThan(soonMs);
  });
});

describe('a load test does not begin, and ends with 2 within 10 s, where the target', () => {
  it.each<[string, Script, string]>([
    ['accepts TCP and nothing more', { connected: () => true }, 'no answer within 8 s [connection_refused]'],
    [
      'sends a header without end',
      { upgrade: (peer) => flood(peer, Buffer.from('x')) },
      'the answer to the upgrade has no end [connection_refused]',
    ],
    [
      'answers a ping with fragments for ever',
      { ping: (peer) => (peer.bytes(raw(0x01, '')), flood(peer, Buffer.alloc(2))) },
      'a message of more than 4096 fragments [session_refused]',
    ],
  ])('%s', async (_, script, said) => {
    const server = await startHostileServer(script);
    onTestFinished(() => server.close());
    const child = start(server.url);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const began = performance.now();
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(stderr).toContain(said);
    expect(performance.now() - began).toBeLessThan(8000 + soonMs);
  });
});

/** A load test whose learners have met the server; and its generators. */
async function loadtest(script: Script) {
  let met = 0;
  const server = await startHostileServer({
    ...script,
    start(peer) {
      met += 1;
      if (script.start) script.start(peer);
      else peer.ready();
    },
  });
  onTestFinished(() => server.close());
  const child = start(server.url);
  child.stderr.resume();
  await vi.waitFor(() => expect(met).toBeGreaterThan(0), soon);
  return { child, processes: childrenOf(child.pid!) };
}

function start(url: string) {
  const text = readFileSync('scenarios/quickstart.yaml', 'utf8')
    .replace('../fixtures', resolve('fixtures'))
    .replace('learners: 20', 'learners: 6');
  const scenario = join(scratch, 'hostile.yaml');
  writeFileSync(scenario, text);
  const args = ['loadtest', scenario, '--url', url, '--generators', '2'];
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

function flood(peer: Peer, block: Buffer): void {
  peer.flood(Buffer.concat(Array.from({ length: Math.ceil(65_536 / block.length) }, () => block)));
}

function feedback(peer: Peer): Buffer {
  const event = { type: 'phoneme_feedback', utterance_id: 1, rev: 1, phonemes: [], timing: {} };
  return Buffer.from(peer.eventText(event));
}
