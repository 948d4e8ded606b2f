import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startEmbedded } from '../../src/load/service/embedded-server.ts';
import { bin } from '../kit/program.ts';
import { connect, startMessage, type TestClient } from '../kit/server/client.ts';

const sessions = 24;
const pending = 300;
const limits = {
  max_sessions: sessions,
  fixed_sessions: sessions,
  max_held_bytes: 262_144,
  max_replay_bytes: 262_144,
  max_unsent_bytes: 262_144,
  max_buffered_ms: 10_000,
  max_finishing: 8,
  max_text_phones: 1000,
  max_pending_connections: pending,
  max_pending_per_address: pending,
  max_header_bytes: 8192,
};
const text = 'the conference will begin when the leader arrives '.repeat(12);

/**
 * What the limits let every queue hold together, bytes: docs/security.md lists the queues. Objects take more than what they
 * stand for: of a frame that is held a header and an entry, of an event its parts beside its text, of a phone of an open
 * text some numbers in the reference and in the graph.
 */
const bound = (() => {
  const soundSeconds = (limits.max_buffered_ms + 30_000) / 1000;
  // 16-bit samples for the next worker, floats on their way to this one and in its features.
  const sound = soundSeconds * 16_000 * (2 + 4 + 4);
  const held = limits.max_held_bytes * 2;
  const events = limits.max_replay_bytes * 6;
  const unsent = limits.max_unsent_bytes * 2;
  const texts = (limits.max_finishing + 1) * limits.max_text_phones * 500;
  const lobby = pending * (2 * limits.max_header_bytes + 4096);
  // The collector waits until garbage is as much again as what lives.
  return sessions * (sound + 2 * (held + events + unsent + texts)) + lobby;
})();

it.runIf(process.platform === 'linux')(
  'a server whose every queue is full takes no more memory than its limits say',
  async () => {
    const limitFlags = Object.entries(limits).flatMap(([name, value]) => ['--limit', `${name}=${value}`]);
    const server = await startEmbedded({
      file: process.execPath,
      args: [bin, 'serve', '--port', '0', '--fault-injection', '--log-level', 'error', ...limitFlags],
    });
    onTestFinished(() => server.stop());
    const http = server.url.replace(/^ws/, 'http').replace('/v1/stream', '');
    const before = residentBytes(server.pid);
    const clients: TestClient[] = [];
    onTestFinished(() => {
      for (const client of clients) client.cut();
    });
    for (let i = 0; i < sessions; i++) clients.push(await begin(server.url));
    const stall = { action: 'stall', ms: 3000 };
    await fetch(`${http}/faults/inference`, { method: 'POST', body: JSON.stringify(stall) });
    const lobby = halfRequests(server.url);
    onTestFinished(() => {
      for (const socket of lobby) socket.destroy();
    });
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, residentBytes(server.pid));
    }, 50);
    onTestFinished(() => clearInterval(watch));
    for (const client of clients) fill(client);
    // The sound is heard when the model goes on: what came of it fills what nobody reads.
    await expect.poll(() => counted(http, 'speechfb_engine_queue_depth')).toBeGreaterThan(0);
    await expect.poll(() => counted(http, 'speechfb_frames_total{outcome="early"}')).toBeGreaterThan(sessions * 10);
    await expect.poll(() => counted(http, 'speechfb_refused_requests_total{reason="pending"}')).toBeGreaterThan(0);
    await expect.poll(() => counted(http, 'speechfb_engine_queue_depth'), { timeout: 60_000, interval: 200 }).toBe(0);
    const told = clients.flatMap((client) => client.of('error').map(({ code }) => code));
    expect(told.filter((code) => code === 'internal')).toEqual([]);
    expect(await counted(http, 'speechfb_events_total{type="phoneme_feedback"}')).toBeGreaterThan(sessions);
    expect(most - before).toBeLessThan(bound);
    expect(bound).toBeLessThan(600e6);
  },
);

async function begin(url: string): Promise<TestClient> {
  const client = await connect(url);
  client.send(startMessage({ reference: { text }, emit_interval_ms: 20 }));
  await client.until('ready');
  return client;
}

/** Sound as far ahead as may be, texts that wait for their finals, frames behind a hole; and reads nothing. */
function fill(client: TestClient): void {
  const utterances = limits.max_finishing;
  const frames = Math.floor((limits.max_buffered_ms - 3000) / 20);
  let seq = 0;
  for (let utterance = 0; utterance < utterances; utterance++) {
    const until = Math.floor((frames * (utterance + 1)) / utterances);
    for (; seq < until; seq++) client.frame(seq, { samples: noise });
    if (utterance < utterances - 1) client.send({ type: 'next_utterance', reference: { text } });
  }
  client.socket.pause();
  const hole = 5;
  for (let i = 0; i < 100; i++, seq++) client.frame(seq + hole, { samples: noise });
}

const noise = Int16Array.from({ length: 320 }, (_, i) => ((i * 7919) % 16_001) - 8000);

/** More connections than may wait, each with as much of a request as is read. */
function halfRequests(url: string): Socket[] {
  const { hostname, port } = new URL(url);
  const half = `GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(limits.max_header_bytes / 2)}`;
  return Array.from({ length: pending + 40 }, () => {
    const socket = connectTcp(Number(port), hostname, () => socket.write(half));
    socket.on('error', () => {});
    return socket;
  });
}

async function counted(http: string, name: string): Promise<number> {
  const body = await (await fetch(`${http}/metrics`)).text();
  const line = body.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}
