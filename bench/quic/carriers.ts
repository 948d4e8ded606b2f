import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { dialQuic } from '../../src/quic/dial.ts';
import { loadQuic } from '../../src/quic/library.ts';
import { QuicListener } from '../../src/quic/listener.ts';
import type { QuicSocket } from '../../src/quic/quic-socket.ts';

/** A frame of 20 ms: the header of speechfb.v1 and 640 bytes of 16 kHz PCM. */
export const frameBytes = 24 + 640;

/** One way of carrying frames from a learner to a server of this process. */
export type Carrier = {
  /** Listens on a free port of the loopback; `heard` is called with each frame once it is whole. */
  listen(heard: (frame: Buffer) => void): Promise<{ port: number; close(): unknown }>;
  /** Connects; `send` says whether the frame was taken. */
  dial(port: number): Promise<{ send(frame: Buffer): boolean; close(): unknown }>;
};

export const websocket: Carrier = {
  async listen(heard) {
    const server = new WebSocketServer({ host: loopback, port: 0, perMessageDeflate: false });
    await once(server, 'listening');
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('message', (frame) => heard(frame as Buffer));
      giveFeedback(socket, (bytes) => socket.send(bytes));
    });
    return {
      port: (server.address() as AddressInfo).port,
      close() {
        for (const client of server.clients) client.terminate();
        server.close();
      },
    };
  },
  async dial(port) {
    const socket = new WebSocket(`ws://${loopback}:${port}`, { perMessageDeflate: false });
    await once(socket, 'open');
    const send = (frame: Buffer) => {
      socket.send(frame);
      return true;
    };
    return { send, close: () => socket.terminate() };
  },
};

export const quicStream: Carrier = {
  listen: (heard) => listenQuic((socket) => socket.on('data', wholeFrames(heard))),
  async dial(port) {
    const socket = await dialLocally(port);
    const send = (frame: Buffer) => {
      socket.write(frame);
      return true;
    };
    return { send, close: () => socket.destroy() };
  },
};

export const quicDatagram: Carrier = {
  listen: (heard) =>
    listenQuic((socket) => {
      socket.resume();
      socket.on('datagram', heard);
    }),
  async dial(port) {
    const socket = await dialLocally(port);
    return { send: (frame) => socket.sendDatagram(frame), close: () => socket.destroy() };
  },
};

const loopback = '127.0.0.1';
/** As in the simulator's traffic of speech. */
const feedback = { bytes: 62, eachMs: 500 };

async function listenQuic(onSocket: (socket: QuicSocket) => void): Promise<{ port: number; close(): unknown }> {
  const listener = await QuicListener.open({
    library: await loadQuic(),
    host: loopback,
    port: 0,
    certificate: readFileSync('test/kit/golden/localhost.cert.pem', 'utf8'),
    key: readFileSync('test/kit/golden/localhost.key.pem', 'utf8'),
    mostConnections: 100,
    handshakeMs: 30_000,
    idleMs: 30_000,
    onSocket(socket) {
      socket.on('error', () => {});
      onSocket(socket);
      giveFeedback(socket, (bytes) => socket.write(bytes));
    },
    onSilent() {},
  });
  return listener;
}

/** Resolves once the server's first words are there: the stream is open both ways. */
async function dialLocally(port: number): Promise<QuicSocket> {
  const socket = dialQuic({ host: loopback, port, insecure: true, handshakeMs: 30_000 });
  // A stream is there for the server once something comes over it.
  socket.write(Buffer.alloc(frameBytes, 0xff));
  await once(socket, 'data');
  socket.on('error', () => {});
  socket.resume();
  return socket;
}

function giveFeedback(socket: Pick<Duplex, 'once'> | WebSocket, write: (bytes: Buffer) => unknown): void {
  write(Buffer.alloc(feedback.bytes));
  const each = setInterval(() => write(Buffer.alloc(feedback.bytes)), feedback.eachMs);
  socket.once('close', () => clearInterval(each));
}

/** Cuts the bytes of a stream into frames. */
function wholeFrames(heard: (frame: Buffer) => void): (bytes: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (bytes) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    while (held.length >= frameBytes) {
      heard(held.subarray(0, frameBytes));
      held = held.subarray(frameBytes);
    }
  };
}
