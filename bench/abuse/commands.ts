import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { createGzip } from 'node:zlib';

/** A command that is given something hostile; `arrange` makes it, and says what to run. */
export type CommandAbuse = { name: string; arrange(): Promise<{ args: string[]; end?(): void }> };

import { PeakMemory } from './peak-memory.ts';

const place = 'run/abuse/files';
const most = { seconds: 10, megabytes: 512 };

export const commandAbuses: readonly CommandAbuse[] = [
  ...(['stream', 'loadtest'] as const).flatMap((verb) => [
    againstServer(`${verb}-fragments`, verb, (socket) =>
      forever(socket, Buffer.concat(Array(4096).fill(Buffer.of(0, 0)))),
    ),
    againstServer(`${verb}-pings`, verb, (socket) =>
      forever(socket, Buffer.concat(Array(4096).fill(Buffer.of(0x89, 0)))),
    ),
    againstServer(`${verb}-no-model`, verb, (socket) =>
      socket.write(text('{"type":"ready","event_id":1,"audio_ms":0}')),
    ),
    againstServer(`${verb}-silent`, verb, () => {}),
    againstServer(`${verb}-long-error`, verb, (socket) => {
      const message = 'x'.repeat(5_000_000);
      socket.write(
        text(JSON.stringify({ type: 'error', event_id: 0, audio_ms: 0, code: 'c', message, retryable: false })),
      );
    }),
  ]),
  file('yaml-keys', 'budget', 'a.yaml', () => Array.from({ length: 40_000 }, (_, i) => `k${i}: 1`).join('\n')),
  file('yaml-aliases', 'budget', 'a.yaml', () => `a: &a [1]\nb: [${Array(20_000).fill('*a').join(', ')}]\n`),
  file('yaml-depth', 'budget', 'a.yaml', () => `a: ${'['.repeat(100_000)}`),
  file('duration-of-blanks', 'loadtest', 'a.yaml', () => `kind: LoadTest\nduration: "1${' '.repeat(100_000)}x"\n`),
  {
    name: 'gzip-bomb',
    async arrange() {
      mkdirSync(`${place}/bomb`, { recursive: true });
      const zip = createGzip({ level: 9 });
      const out = zip.pipe(createWriteStream(`${place}/bomb/traces.jsonl.gz`));
      const block = Buffer.alloc(1 << 20, 0x20);
      for (let i = 0; i < 2000; i++) if (!zip.write(block)) await once(zip, 'drain');
      zip.end();
      await once(out, 'close');
      writeFileSync(`${place}/bomb/recording.json.gz`, readFileSync(`${place}/bomb/traces.jsonl.gz`));
      writeFileSync(`${place}/bomb/run.json`, '{"version": 3}');
      return { args: ['report', `${place}/bomb`] };
    },
  },
  {
    name: 'long-line',
    async arrange() {
      mkdirSync(place, { recursive: true });
      const out = createWriteStream(`${place}/manifest.jsonl`);
      const block = Buffer.alloc(1 << 20, 0x61);
      out.write('{"id": "');
      for (let i = 0; i < 1000; i++) if (!out.write(block)) await once(out, 'drain');
      out.end();
      await once(out, 'close');
      return { args: ['score', '--manifest', `${place}/manifest.jsonl`, '--out', `${place}/out`] };
    },
  },
];

/** Runs it for at most 30 s, and looks at what it came to. */
export async function runCommandAbuse(abuse: CommandAbuse, program: string): Promise<(string | number)[]> {
  const { args, end } = await abuse.arrange();
  const startedMs = performance.now();
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = lastWords(child);
  const memory = new PeakMemory(child.pid!);
  const impatience = setTimeout(() => child.kill('SIGINT'), 30_000);
  const end2 = setTimeout(() => child.kill('SIGKILL'), 35_000);
  const [code, signal] = await once(child, 'close');
  for (const timer of [impatience, end2]) clearTimeout(timer);
  memory.close();
  end?.();
  const seconds = (performance.now() - startedMs) / 1000;
  rmSync(place, { recursive: true, force: true });
  const isSentence = !/\n\s+at |Maximum call stack/.test(said.text);
  const held =
    typeof code === 'number' &&
    code !== 1 &&
    seconds <= most.seconds &&
    memory.megabytes <= most.megabytes &&
    isSentence;
  const words = said.text.trim().split('\n').at(-1)?.slice(0, 70) ?? '';
  return [
    abuse.name,
    signal ?? `exit ${code}`,
    seconds.toFixed(1),
    memory.megabytes.toFixed(0),
    words,
    held ? 'held' : 'NOT HELD',
  ];
}

function lastWords(child: ChildProcess): { text: string } {
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said.text = (said.text + chunk).slice(-20_000);
    });
  }
  return said;
}

function file(name: string, verb: string, as: string, content: () => string): CommandAbuse {
  return {
    name,
    async arrange() {
      mkdirSync(place, { recursive: true });
      writeFileSync(`${place}/${as}`, content());
      return { args: [verb, `${place}/${as}`] };
    },
  };
}

/** A server that answers the upgrade as it should, and then does as it likes. */
function againstServer(name: string, verb: 'stream' | 'loadtest', then: (socket: Socket) => void): CommandAbuse {
  return {
    name,
    async arrange() {
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.once('data', (head) => {
          const key = /sec-websocket-key: (\S+)/i.exec(String(head))?.[1] ?? '';
          const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
              `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: speechfb.v1\r\n\r\n`,
          );
          then(socket);
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/stream`;
      const end = () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      };
      if (verb === 'stream')
        return { args: ['stream', 'fixtures/audio/monkeys.wav', '--text', 'They', '--url', url], end };
      mkdirSync(place, { recursive: true });
      const scenario = readFileSync('scenarios/quickstart.yaml', 'utf8')
        .replace(/duration: .*/, 'duration: 4s')
        .replace('../fixtures', resolve('fixtures'));
      writeFileSync(`${place}/a.yaml`, scenario);
      return { args: ['loadtest', `${place}/a.yaml`, '--url', url, '--out', `${place}/out`], end };
    },
  };
}

/** Writes the bytes as fast as they are taken. */
function forever(socket: Socket, bytes: Buffer): void {
  socket.write(Buffer.of(1, 0));
  const more = () => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

function text(message: string): Buffer {
  const body = Buffer.from(message);
  const head = body.length < 126 ? Buffer.of(0x81, body.length) : Buffer.of(0x81, 127, 0, 0, 0, 0, 0, 0, 0, 0);
  if (body.length >= 126) head.writeUInt32BE(body.length, 6);
  return Buffer.concat([head, body]);
}
