import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServerEvent } from '../../src/protocol/server-messages.ts';
import { childrenOf, isAlive, stateOf } from '../kit/processes.ts';
import { bin } from '../kit/program.ts';
import { connect, type TestClient } from '../kit/server/client.ts';
import {
  essence,
  finalOf,
  finalsInFeedback,
  lastFrame,
  readClipWhole,
  sendClip,
  startReading,
} from '../kit/server/reader.ts';
import { readClip } from '../kit/server/real.ts';

const clip = readClip('leader');

describe('speechfb serve --gateways', () => {
  it('keeps a port, its sessions and its metrics whatever happens to one of its processes, and leaves nothing', async () => {
    const { child, url } = await start([
      '--gateways',
      '2',
      '--limit',
      'silent_gateway_ms=400',
      '--limit',
      'hung_gateway_ms=5000',
    ]);
    const gateways = childrenOf(child.pid!);
    expect(gateways).toHaveLength(2);
    const alone = await readClipWhole(url, clip);

    // A session goes on at whichever process its client finds.
    const half = Math.floor(lastFrame(clip) / 2);
    const first = await startReading(url, clip);
    sendClip(first, clip, 0, half);
    await first.until('phoneme_feedback');
    first.cut();
    const second = await resumed(url, first.events);
    const third = await resumed(url, [...first.events, ...second.events]);
    expect((await second.closed).code).toBe(4409);
    sendClip(third, clip, half + 1, lastFrame(clip));
    third.send({ type: 'close' });
    expect((await third.closed).code).toBe(1000);
    // What a socket still brought when another had taken over comes there again, under the same id.
    const all = [first, second, third].flatMap(({ events }) => events).map((event) => [event.event_id, event] as const);
    const seen = [...new Map(all).values()];
    expect(
      finalOf(seen)
        .words.flatMap((word) => word.phonemes)
        .map(essence),
    ).toEqual(
      finalOf(alone.events)
        .words.flatMap((word) => word.phonemes)
        .map(essence),
    );
    const final = finalsInFeedback(seen).map(({ index }) => index);
    expect(new Set(final).size).toBe(final.length);

    expect(await metricsOf(url)).toMatch(/speechfb_messages_total\{kind="start"\} 2/);

    // One that stands still is handed nothing, and then is another.
    const [still, other] = gateways as [number, number];
    process.kill(still, 'SIGSTOP');
    const during = await Promise.all(Array.from({ length: 4 }, () => startReading(url, clip)));
    await expect.poll(() => isAlive(still)).toBe(false);
    await expect.poll(() => childrenOf(child.pid!).length).toBe(2);
    for (const client of during) sendClip(client, clip, 0, lastFrame(clip));
    for (const client of during) client.send({ type: 'close' });
    for (const client of during) expect((await client.closed).code).toBe(1000);
    await expect.poll(() => metricsOf(url)).toMatch(/speechfb_gateway_restarts_total\{gateway="\d"\} 1/);
    expect(await metricsOf(url)).toMatch(/speechfb_messages_total\{kind="start"\} 6/);

    await expect.poll(() => metricsOf(url)).toMatch(/ready\{gateway="1"\} 1\n.*ready\{gateway="2"\} 1/);

    // One that is killed takes its own sessions along; whoever had one starts anew.
    const readers = await Promise.all(Array.from({ length: 4 }, () => startReading(url, clip)));
    process.kill(other, 'SIGKILL');
    const numberOf = (client: TestClient): string => client.of('ready')[0]!.session_id.charAt(0);
    const lost = await Promise.race(readers.map((client) => client.closed.then(() => client)));
    const dead = readers.filter((client) => numberOf(client) === numberOf(lost));
    expect((await Promise.all(dead.map(({ closed }) => closed))).every(({ code }) => code === 1006)).toBe(true);
    const others = readers.filter((client) => !dead.includes(client));
    expect(others.length).toBeGreaterThan(0);
    for (const client of others) sendClip(client, clip, 0, lastFrame(clip));
    for (const client of others) client.send({ type: 'close' });
    for (const client of others) expect((await client.closed).code).toBe(1000);
    const back = await connect(url);
    back.send(resume(lost.events));
    expect((await back.closed).code).toBe(4404);
    await startReading(url, clip);

    child.kill('SIGKILL');
    const left = childrenOf(child.pid!);
    await expect.poll(() => [child.pid!, ...gateways, ...left].filter(isAlive)).toEqual([]);
  });

  it('drains all of its processes on SIGTERM, whoever else it is sent to', async () => {
    const { child, url } = await start(['--gateways', '2']);
    const readers = await Promise.all(Array.from({ length: 4 }, () => startReading(url, clip)));
    for (const client of readers) sendClip(client, clip, 0, 60);
    await Promise.all(readers.map((client) => client.until('phoneme_feedback')));
    const gateways = childrenOf(child.pid!);
    // As a service manager does.
    for (const pid of [...gateways, child.pid!]) process.kill(pid, 'SIGTERM');
    for (const client of readers) {
      expect((await client.closed).code).toBe(1001);
      expect(client.of('utterance_final')).toMatchObject([{ reason: 'drain' }]);
    }
    expect(await exitOf(child)).toBe(0);
    expect(gateways.map(stateOf)).toEqual(['gone', 'gone']);
  });

  it.each([
    ['none', '0', /--gateways: "0" is not a whole number; allowed: 1 to 64 \[bad_flag\]/],
    ['fewer', '-1', /--gateways: "-1" is not a whole number; allowed: 1 to 64/],
    ['a word', 'many', /--gateways: "many" is not a whole number/],
    ['too many', '1000', /--gateways: "1000" is not a whole number; allowed: 1 to 64/],
  ])('refuses %s', async (_, number, sentence) => {
    const child = spawn(process.execPath, [bin, 'serve', '--port', '0', `--gateways=${number}`]);
    expect(await text(child.stderr)).toMatch(sentence);
    expect(await exitOf(child)).toBe(2);
  });

  it.each([
    ['a model that is not there', ['--model', 'none'], /\[model_not_found\]/],
    ['a device that does not exist', ['--device', 'tpu'], /tpu/],
    ['a key without its certificate', ['--tls-key', 'key.pem'], /--tls-key needs --tls-cert.*\[bad_tls\]/],
    ['an address of the network without protection', ['--host', '0.0.0.0'], /\[unsafe_host\]/],
  ])('refuses %s as one process does', async (_, flags, sentence) => {
    const child = spawn(process.execPath, [bin, 'serve', '--port', '0', '--gateways', '2', ...flags]);
    expect(await text(child.stderr)).toMatch(sentence);
    expect(await exitOf(child)).toBe(2);
  });
});

async function start(flags: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
  const usual = ['serve', '--port', '0', '--device', 'cpu', '--log-level', 'silent'];
  const child = spawn(process.execPath, [bin, ...usual, ...flags]);
  onTestFinished(() => void child.kill('SIGKILL'));
  for await (const chunk of child.stdout) {
    const url = /ready at (ws:\S+)/.exec(String(chunk))?.[1];
    if (url !== undefined) return { child, url };
  }
  throw new Error('the server ended before it was ready');
}

/** Takes a session up again through a new socket. */
async function resumed(url: string, events: readonly ServerEvent[]): Promise<TestClient> {
  const client = await connect(url);
  client.send(resume(events));
  await client.until('ready');
  return client;
}

function resume(events: readonly ServerEvent[]) {
  const ready = events.find((event) => event.type === 'ready')!;
  const { session_id, resume_token } = ready;
  const last_event_id = Math.max(...events.map((event) => event.event_id));
  return { type: 'resume', session_id, resume_token, last_event_id } as const;
}

async function metricsOf(url: string): Promise<string> {
  return await (await fetch(new URL('/metrics', url.replace('ws', 'http')))).text();
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const [code] = await once(child, 'exit');
  return code;
}
