import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AcousticEngine } from '../../src/acoustic/engine/types.ts';
import { loadModelPackage } from '../../src/acoustic/model/load-model.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { NodeAddresses, parseNodeSource } from '../../src/trunk/gateway/node-addresses.ts';
import { NodePool } from '../../src/trunk/gateway/node-pool.ts';
import { bin } from '../kit/program.ts';
import { readClip } from '../kit/server/real.ts';

const model = loadModelPackage(resolve(import.meta.dirname, '../../models/en-learner'));
const clip = readClip('leader');
const words = ['DH AH', 'K AA N F ER AH N S', 'W IH L', 'B IH G IH N', 'W EH N', 'DH AH', 'L IY D ER', 'ER AY V Z'];
const reference = {
  words: words.map((phones) => ({ text: phones, variants: [phones.split(' ')], source: 'given' as const })),
};

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const types = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, continuation: 9 };
const endHeaders = 4;

function frame(type: keyof typeof types, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(types[type], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Header fields as HPACK has them without compression (RFC 7541, 6.2). */
function fields(path: string): Buffer {
  const text = (value: string) => [value.length, ...Buffer.from(value)];
  return Buffer.from([
    ...[0x83, 0x86, 0x44, ...text(path), 0x41, ...text('node'), 0x5f, ...text('application/grpc')],
    ...[0x40, ...text('te'), ...text('trailers')],
  ]);
}

const opening = Buffer.concat([preface, frame('settings', 0, 0)]);
const trunk = fields('/speechfb.v1.InferenceService/Trunk');
const times = (count: number, of: (n: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, n) => of(n)));

/** What a stranger says on a connection of its own. */
const strangers: readonly [string, () => Buffer][] = [
  ['random bytes', () => randomBytes(200_000)],
  ['HTTP/1.1', () => Buffer.from(`GET / HTTP/1.1\r\nhost: node\r\n${'x: y\r\n'.repeat(5000)}\r\n`)],
  ['random frames', () => Buffer.concat([opening, randomBytes(200_000)])],
  [
    'a frame of 16 MB',
    () => Buffer.concat([opening, Buffer.from([255, 255, 255, 0, 0, 0, 0, 0, 1]), Buffer.alloc(100_000)]),
  ],
  [
    'streams that are reset as soon as they are opened',
    () =>
      Buffer.concat([
        opening,
        times(20_000, (n) =>
          Buffer.concat([
            frame('headers', endHeaders, 2 * n + 1, trunk),
            frame('reset', 0, 2 * n + 1, Buffer.alloc(4)),
          ]),
        ),
      ]),
  ],
  [
    'streams that stay open, more than there may be',
    () => Buffer.concat([opening, times(500, (n) => frame('headers', endHeaders, 2 * n + 1, trunk))]),
  ],
  ['settings without end', () => Buffer.concat([opening, times(50_000, () => frame('settings', 0, 0))])],
  ['pings without end', () => Buffer.concat([opening, times(50_000, () => frame('ping', 0, 0, Buffer.alloc(8)))])],
  [
    'headers without end',
    () =>
      Buffer.concat([
        opening,
        frame('headers', 0, 1, trunk),
        times(2000, () => frame('continuation', 0, 1, Buffer.alloc(16_000, 0x82))),
      ]),
  ],
  [
    'metadata of 64 kB',
    () => {
      const field = Buffer.concat([Buffer.from([0x40, 1, 0x78, 0x7f, 0x81, 0x7e]), Buffer.alloc(16_256, 0x61)]);
      const more = times(4, () => frame('continuation', 0, 1, field));
      return Buffer.concat([opening, frame('headers', 0, 1, trunk), more, frame('continuation', endHeaders, 1)]);
    },
  ],
  [
    'a message that says it has 4 GB',
    () =>
      Buffer.concat([
        opening,
        frame('headers', endHeaders, 1, trunk),
        frame('data', 0, 1, Buffer.from([0, 255, 255, 255, 255, 1])),
      ]),
  ],
  [
    'messages that are none',
    () =>
      Buffer.concat([
        opening,
        frame('headers', endHeaders, 1, trunk),
        times(100, () => frame('data', 0, 1, Buffer.concat([Buffer.from([0, 0, 0, 0, 100]), randomBytes(100)]))),
      ]),
  ],
  ['a method that is not there', () => Buffer.concat([opening, frame('headers', endHeaders, 1, fields('/x.y/Z'))])],
];

describe('strangers on the port of a node', () => {
  let node: ChildProcess;
  let log = '';
  let port = 0;
  let gateway: NodePool;
  beforeAll(async () => {
    const args = ['serve', '--role', 'inference', '--node-listen', '127.0.0.1:0', '--slots', '2'];
    node = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    node.stderr!.on('data', (chunk) => {
      log += chunk;
    });
    const [ready] = await once(createInterface(node.stdout!), 'line');
    const address = / at (\S+) /.exec(String(ready))![1]!;
    port = Number(address.split(':')[1]);
    gateway = new NodePool({
      model,
      nodes: new NodeAddresses([parseNodeSource(address)]),
      region: '',
      gateway: 'test',
      credentials: credentials.createInsecure(),
      log: createLog('silent', { write() {} }),
    });
    await gateway.hasNode();
    await read();
  });
  afterAll(() => {
    gateway?.close();
    node?.kill('SIGKILL');
  });

  /** One learner reads the clip through the gateway that was there before. */
  async function read(): Promise<void> {
    const told: unknown[] = [];
    const errors: Error[] = [];
    const events = { onFeedback: (one: unknown) => told.push(one), onError: (error: Error) => errors.push(error) };
    const settings = { emitIntervalMs: 100, speaker: 'learner' };
    const text = gateway.openUtterance({ model } as AcousticEngine, reference, settings, events);
    text.push(Float32Array.from(clip.samples));
    const result = await text.finish();
    gateway.leave('learner');
    expect(result.scores.pronunciation).toBeGreaterThan(70);
    expect(told.length).toBeGreaterThan(5);
    expect(errors).toEqual([]);
  }

  it.each(strangers)('who send %s do a learner no harm, nor the memory, nor the log', async (_, bytes) => {
    const before = { memory: residentBytes(node.pid!), log: log.length, lost: gateway.stats().rehoused.lost };
    const sockets = await Promise.all(Array.from({ length: 4 }, () => flood(port, bytes())));
    await read();
    for (const socket of sockets) socket.destroy();
    // A node that is busy with strangers may be late, and its learner then begins again there: once.
    expect(gateway.stats().rehoused.lost - before.lost).toBeLessThanOrEqual(1);
    expect(node.exitCode).toBeNull();
    expect(residentBytes(node.pid!) - before.memory).toBeLessThan(200e6);
    expect(log.length - before.log).toBeLessThan(4000);
    expect(log).not.toMatch(/"level":[56]0/);
  });
});

/** Sends it all, unless the other end closes before; what comes back is read, or not, as it comes. */
async function flood(port: number, bytes: Buffer): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  await Promise.race([new Promise((sent) => socket.write(bytes, sent)), once(socket, 'close'), wait(2000)]);
  return socket;
}

function residentBytes(pid: number): number {
  const [, kB] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kB) * 1024;
}
