import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Limits } from '../../limits.ts';

/**
 * Keeps what one read of a connection may bring within a bound. Node hears every request that a
 * packet holds before it answers the first, and each piece of a body: 64 kB are 2,400 requests, for
 * which the thread that owns sockets stands still, also when the connection is closed meanwhile.
 *
 * @param onCut a connection was cut, since it asked for too much without waiting
 */
export function boundReads(http: Server, limits: Pick<Limits, 'maxPipelinedRequests'>, onCut: () => void): void {
  http.on(http instanceof HttpsServer ? 'secureConnection' : 'connection', (socket: Duplex) => {
    socket.prependListener('data', onRead);
  });
  http.prependListener('upgrade', (_, socket) => void socket.removeListener('data', onRead));
  const onAsked = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    count(socket, 1);
    response.once('close', () => count(socket, -1));
    if ((unanswered.get(socket) ?? 0) <= limits.maxPipelinedRequests || socket.destroyed) return;
    skipRest(socket);
    socket.destroy();
    onCut();
  };
  http.on('request', onAsked);
  http.on('checkExpectation', (request, response) => {
    onAsked(request, response);
    response.writeHead(417, { connection: 'close' }).end();
  });
}

/** Whether an answer is still to be written to this connection. */
export function isUnanswered(socket: Duplex): boolean {
  return (unanswered.get(socket) ?? 0) > 0;
}

/** Whether what is wrong with the bytes of this connection was made here. */
export function isSkipped(socket: Duplex): boolean {
  return skipped.has(socket);
}

/**
 * Reads no more of a connection whose request is being heard: what came with it is made into what
 * the parser stops at, since nothing else stops it in the middle of a read.
 */
export function readNoMore({ socket }: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false;
  skipRest(socket);
  socket.pause();
}

function skipRest(socket: Duplex): void {
  skipped.add(socket);
  if (reading?.socket === socket) reading.bytes.fill(0);
}

/** The read that was made last: requests are heard in the middle of the one that brought them. */
let reading: { socket: Duplex; bytes: Uint8Array } | undefined;

function onRead(this: Duplex, bytes: Uint8Array): void {
  reading = { socket: this, bytes };
}

function count(socket: Duplex, change: number): void {
  unanswered.set(socket, (unanswered.get(socket) ?? 0) + change);
}

const unanswered = new WeakMap<Duplex, number>();
const skipped = new WeakSet<Duplex>();
