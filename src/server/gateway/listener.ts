import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { SpeechfbError } from '../../errors.ts';

/**
 * @param tls PEM texts; absent: plain HTTP.
 * @throws SpeechfbError `bad_tls`
 */
export function createListener(tls: { certificate: string; key: string } | undefined): Server {
  if (!tls) return createHttpServer();
  try {
    return createHttpsServer({ cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' });
  } catch (cause) {
    throw new SpeechfbError('bad_tls', `the certificate and key cannot be used: ${messageOf(cause)}`, {
      hint: '--tls-cert and --tls-key are PEM files that belong together',
      cause,
    });
  }
}

/**
 * Resolves with the port it really has.
 * @throws SpeechfbError `port_in_use`, `cannot_listen`
 */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)));
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

export function closeListener(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Answers a WebSocket upgrade with a plain status instead. */
export function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): SpeechfbError {
  if (cause.code === 'EADDRINUSE') {
    return new SpeechfbError('port_in_use', `port ${port} on ${host} is in use`, {
      hint: 'choose another with --port, or --port 0 for any free one; find who has it: ss -ltnp',
      cause,
    });
  }
  return new SpeechfbError('cannot_listen', `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
    hint: '--host takes an address of this machine; ports below 1024 need rights',
    cause,
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
