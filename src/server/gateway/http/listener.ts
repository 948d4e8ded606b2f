import { createServer as createHttpServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import { type HttpRefusal, refuseSocket } from '../../admission/http-refusal.ts';
import type { TlsPair } from '../../admission/pem.ts';
import { checkTlsPair, secureOptions } from '../../admission/tls-pair.ts';
import type { Limits } from '../../limits.ts';
import { boundReads, isSkipped } from './reads.ts';
import { chooseSubprotocol } from './upgrade.ts';

/**
 * @param tls PEM texts; absent: plain HTTP.
 * @param changes `clientCa`: who signs the certificates that clients may show; what has none is
 *   heard, too. `hearsNameless`: requests without Host come to the handler, which refuses them.
 *   `onCut`: a connection was cut that asked for too much without waiting
 * @throws SpeechfbError `bad_tls`
 */
export function createListener(tls: TlsPair | undefined, limits: Limits, changes: ListenerChanges = {}): Server {
  const http = createBareListener(tls, limits, changes);
  // Who has asked all that it will and closes its half is still answered: Node would end the
  // connection under an answer that waits for its turn. The property is not in its documentation.
  Object.assign(http, { httpAllowHalfOpen: true });
  boundReads(http, limits, changes.onCut ?? (() => {}));
  return http;
}

type ListenerChanges = { clientCa?: string | undefined; hearsNameless?: boolean; onCut?: () => void };

function createBareListener(
  tls: TlsPair | undefined,
  limits: Limits,
  { clientCa, hearsNameless = false }: ListenerChanges,
): Server {
  const options = { ...httpOptions(limits), requireHostHeader: !hearsNameless };
  if (!tls) return createHttpServer(options);
  checkTlsPair(tls);
  const clients = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false };
  const handshakeTimeout = limits.handshakeTimeoutMs;
  return createHttpsServer({ ...options, ...secureOptions(tls), ...clients, handshakeTimeout });
}

/**
 * Lets a listener show this pair from here on; connections that are there keep what they have.
 *
 * @throws SpeechfbError `bad_tls`, and the one before stays.
 */
export function renewListener(server: Server, tls: TlsPair): void {
  checkTlsPair(tls);
  if (!(server instanceof TlsServer)) throw new Error('a listener without TLS has no certificate');
  server.setSecureContext(secureOptions(tls));
}

/** What to do when a server cannot listen. */
export const listenHints = {
  anotherPort: 'choose another with --port, or --port 0 for any free one',
  address: '--host takes an address of this machine; ports below 1024 need rights',
};

/** Options of the WebSocket server that takes what the listener hands over. */
export function socketOptions({ maxFrameBytes, maxMessageBytes }: Limits) {
  return {
    noServer: true,
    clientTracking: false,
    // Pings have a limit of ours: ws cuts a socket without a word from the 61st that waits for its
    // pong.
    autoPong: false,
    perMessageDeflate: false,
    maxPayload: Math.max(maxFrameBytes, maxMessageBytes) * oversizeFactor,
    maxFragments: mostPieces,
    maxBufferedChunks: mostPieces,
    closeTimeout: closeTimeoutMs,
    handleProtocols: chooseSubprotocol,
  };
}

export function closeListener(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Answers a connection whose request could not be read, or did not come, and says why. */
export function refuseUnread(error: NodeJS.ErrnoException, socket: Duplex, limits: Limits): HttpRefusal | undefined {
  // Its request is being answered, or it was cut and counted.
  if (isSkipped(socket)) return undefined;
  const refusal = unreadRefusal(error, limits);
  // What broke below HTTP (a reset, a failed TLS handshake) has nobody to answer: a socket that
  // waits for TLS would hold the answer for ever.
  if (refusal && socket.writable && !isBelowHttp(error)) refuseSocket(socket, refusal);
  else socket.destroy();
  return refusal;
}

function isBelowHttp({ code = '' }: NodeJS.ErrnoException): boolean {
  return /^ERR_(SSL|TLS)_/.test(code);
}

function unreadRefusal({ code = '' }: NodeJS.ErrnoException, limits: Limits): HttpRefusal | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const message = `no whole request came within handshake_timeout_ms, ${limits.handshakeTimeoutMs} ms`;
    return { status: 408, reason: 'timeout', code: 'idle_timeout', message, limit: 'handshakeTimeoutMs' };
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const message = `the headers are longer than max_header_bytes, ${limits.maxHeaderBytes} bytes`;
    return { status: 431, reason: 'header_size', code: 'too_large', message, limit: 'maxHeaderBytes' };
  }
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') {
    const message = `no TLS was agreed on within handshake_timeout_ms, ${limits.handshakeTimeoutMs} ms`;
    return { status: 408, reason: 'timeout', code: 'idle_timeout', message, limit: 'handshakeTimeoutMs' };
  }
  if (code.startsWith('ERR_SSL_')) {
    return { status: 400, reason: 'tls', code: 'invalid_message', message: 'no TLS was agreed on' };
  }
  if (!code.startsWith('HPE_')) return undefined;
  return { status: 400, reason: 'malformed', code: 'invalid_message', message: 'this is no HTTP request' };
}

function httpOptions({ handshakeTimeoutMs, maxHeaderBytes }: Limits): ServerOptions {
  return {
    headersTimeout: handshakeTimeoutMs,
    requestTimeout: handshakeTimeoutMs,
    connectionsCheckingInterval: Math.min(checkMs, handshakeTimeoutMs),
    maxHeaderSize: maxHeaderBytes,
  };
}

/** How often Node looks for requests that are late; its own default is half a minute. */
const checkMs = 1000;

/** How long a closing handshake may take. */
const closeTimeoutMs = 5000;
/**
 * Up to this many times the limit a message is read and refused with an `error`; beyond it ws
 * closes with 1009.
 */
const oversizeFactor = 4;
/**
 * Fragments of a message, empty ones too, and reads of the socket that hold one frame: each takes
 * some hundred bytes of memory, however short it is. Beyond it ws closes with 1008.
 */
const mostPieces = 4096;
