import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
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

export function closeListener(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Answers a WebSocket upgrade with a plain status instead, and a sentence that says why. */
export function refuseUpgrade(socket: Duplex, { status, why }: { status: string; why: string }): void {
  const body = `${why}\n`;
  const head = `Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}`;
  socket.end(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${body}`);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
