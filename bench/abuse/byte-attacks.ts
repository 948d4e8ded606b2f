import { connect, type Socket } from 'node:net';
import { handshake } from '../../test/kit/server/handshake.ts';
import { type Attack, again, type Target } from './target.ts';

const plainPaths = ['/healthz', '/metrics', '/v1/stream'];

/** Attacks below the protocol: bytes that no client of HTTP or WebSockets would write. */
export const byteAttacks: readonly Attack[] = [
  {
    name: 'fragments',
    what: 'messages of 4,000 fragments of a byte, as fast as they are read, from 5 sockets',
    tokens: false,
    run: (target) => again(5, () => webSocket(target, (socket) => forever(target, socket, fragments(4000)))),
  },
  {
    name: 'endless-fragments',
    what: 'a message of empty fragments that does not end, from 5 sockets',
    tokens: false,
    run: (target) => again(5, () => webSocket(target, (socket) => forever(target, socket, frames(4000, 0x00, '')))),
  },
  {
    name: 'dribbled-frames',
    what: '200 sockets that write a frame of 250 kB, byte for byte',
    tokens: false,
    run: (target) =>
      again(200, () =>
        webSocket(target, (socket) => {
          write(target, socket, Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x04, 0, 0, ...mask]));
          const timer = setInterval(() => write(target, socket, Buffer.alloc(1)), 5);
          socket.once('close', () => clearInterval(timer));
        }),
      ),
  },
  {
    name: 'broken-frames-of-websockets',
    what: 'WebSockets that break the protocol in eight ways in turn, 150 a second',
    tokens: false,
    run: (target) => again(500, nextOf(target, breaches), 150),
  },
  {
    name: 'requests',
    what: 'GET /healthz and /metrics one behind the other, as fast as they are answered, from 20 connections',
    tokens: false,
    run: (target) =>
      again(20, () => plain(target, (socket) => forever(target, socket, Buffer.from(gets.repeat(50), 'latin1')))),
  },
  {
    name: 'requests-one-by-one',
    what: 'GET /healthz, /metrics and /v1/stream in turn, from 400 connections, each as soon as it is answered',
    tokens: false,
    run: (target) =>
      again(400, () => {
        let asked = 0;
        const ask = (): boolean => write(target, socket, Buffer.from(get(plainPaths[asked++ % plainPaths.length]!)));
        const socket = plain(target, ask);
        socket.on('data', ask);
        return socket;
      }),
  },
  {
    name: 'tiny-chunks',
    what: 'POST /healthz with a body in chunks of a byte, as fast as it is read, from 20 connections',
    tokens: false,
    run: (target) =>
      again(20, () =>
        plain(target, (socket) => {
          write(
            target,
            socket,
            Buffer.from('POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'),
          );
          forever(target, socket, Buffer.from('1\r\na\r\n'.repeat(10_000)));
        }),
      ),
  },
  {
    name: 'half-closed',
    what: '2,000 connections that ask for a WebSocket, or for nothing, and close their half',
    tokens: true,
    run(target) {
      let made = 0;
      again(
        2000,
        () => {
          const socket = plain(target, () => {
            if (made++ % 2 === 0) write(target, socket, Buffer.from(handshake()));
            socket.end();
          });
          return socket;
        },
        500,
      );
    },
  },
  {
    name: 'long-headers',
    what: 'requests with 16 kB of headers, 200 of them, as fast as they are answered, from 20 connections',
    tokens: false,
    run: (target) =>
      again(20, () => plain(target, (socket) => forever(target, socket, Buffer.from(longHeaders.repeat(4))))),
  },
  {
    name: 'smuggled-requests',
    what: 'requests that two readers would read differently, 150 a second',
    tokens: false,
    run: (target) => again(500, nextOf(target, smuggled), 150),
  },
];

const mask = [0, 0, 0, 0];

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const gets = plainPaths.map(get).join('');
const longHeaders = get('/healthz').replace('\r\n\r\n', `\r\n${'X-Filler: 0123456789\r\n'.repeat(700)}\r\n`);

const breaches = [
  [0x09, 0x80, ...mask],
  [0xc1, 0x80, ...mask],
  [0xa1, 0x80, ...mask],
  [0x80, 0x80, ...mask],
  [0x83, 0x80, ...mask],
  [0x81, 0x01, 0x61],
  [0x88, 0x82, ...mask, 0x03, 0xed],
  [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, ...mask],
].map((bytes) => Buffer.concat([Buffer.from(handshake()), Buffer.from(bytes)]));

const hidden = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';
const smuggled = [
  `POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello${hidden}`,
  `GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n${handshake()}`,
  `GET /v1/stream HTTP/1.1\r\nX: a\r\n Host: evil.example\r\n\r\n${hidden}`,
  `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
  `\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03`,
].map((text) => Buffer.from(text, 'latin1'));

/** A connection that writes the next of these each time. */
function nextOf(target: Target, texts: readonly Buffer[]): () => Socket {
  let made = 0;
  return () => plain(target, (socket) => write(target, socket, texts[made++ % texts.length]!));
}

/** A WebSocket, as soon as it is one. */
function webSocket(target: Target, then: (socket: Socket) => void): Socket {
  const socket = plain(target, () => write(target, socket, Buffer.from(handshake())));
  socket.once('data', () => then(socket));
  return socket;
}

function plain({ url, seen }: Target, then: (socket: Socket) => void): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => then(socket));
  socket.on('data', (data) => {
    seen.received += data.length;
    for (const [answer] of data.toString('latin1').matchAll(/HTTP\/1\.1 \d{3}/g)) {
      seen.answers.set(answer, (seen.answers.get(answer) ?? 0) + 1);
    }
  });
  return socket;
}

/** A message of text in so many fragments of a byte. */
function fragments(count: number): Buffer {
  return Buffer.concat([frames(1, 0x01, 'a'), frames(count - 2, 0x00, 'a'), frames(1, 0x80, 'a')]);
}

function frames(count: number, first: number, payload: string): Buffer {
  const one = Buffer.concat([Buffer.from([first, 0x80 | payload.length, ...mask]), Buffer.from(payload)]);
  return Buffer.concat(Array<Buffer>(count).fill(one));
}

/** Writes the bytes as fast as they are taken. */
export function forever(target: Target, socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && write(target, socket, bytes));
  };
  socket.on('drain', more);
  more();
}

export function write({ seen }: Target, socket: Socket, bytes: Buffer): boolean {
  seen.sent += bytes.length;
  return socket.writable && socket.write(bytes);
}
