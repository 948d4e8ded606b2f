import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { SpeechfbError } from '../errors.ts';
import type { QuicConnection, QuicStream } from './quic-socket.ts';

/**
 * What is asked of a library that speaks QUIC: an optional package, since few want QUIC and it
 * takes 122 MB. Its own types are there only where it is.
 */
export type QuicLibrary = {
  connectQuic(target: { host: string; port: number; servername?: string }, options: ClientOptions): ClientConnection;
  createQuicServer(options: ServerOptions): QuicServer;
};

export type QuicServer = {
  on(event: 'error', hear: () => void): unknown;
  on(event: 'session', hear: (session: ServerConnection) => void): unknown;
  listen(port: number, address: string): Promise<{ port: number }>;
  close(): Promise<unknown>;
};

/** A connection of whichever end: its errors are told by its close, too. */
type Connection = QuicConnection & { on(event: 'error', hear: () => void): unknown; close(): Promise<unknown> };

export type ServerConnection = Connection & {
  remoteAddress: string;
  remotePort: number;
  on(event: 'stream', hear: (stream: QuicStream) => void): unknown;
};

type ClientConnection = Connection & { ready(): Promise<unknown>; openStream(): QuicStream };

type EndOptions = typeof quicRuntime & { alpn: string[]; enableDatagrams: boolean };

type ClientOptions = EndOptions & { connectTimeoutMs: number; ca?: string; rejectUnauthorized?: boolean };

type ServerOptions = EndOptions & {
  cert: string;
  key: string;
  initialMaxStreamsBidi: number;
  maxConnections: number;
  maxIdleTimeoutMs: number;
};

/** The protocol that both ends name in the TLS handshake (ALPN, RFC 7301). */
export const quicProtocol = 'speechfb/1';

/**
 * poll instead of io_uring, at both ends: containers forbid io_uring, it costs no less CPU time a
 * frame, and at 40 connections of one process it stood still in two runs of four.
 */
export const quicRuntime = { runtimeMode: 'portable', fallbackPolicy: 'error' } as const;

/**
 * Loads the package, from wherever Node finds packages for this one, `NODE_PATH` among it.
 * @param load how; tests load something else
 * @throws SpeechfbError `quic_unavailable` with the command that installs it
 */
export async function loadQuic(load: () => Promise<QuicLibrary> = loadInstalled): Promise<QuicLibrary> {
  try {
    return await load();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
        ? 'is not installed'
        : `does not load here, on ${process.platform} and ${process.arch}`;
    throw new SpeechfbError('quic_unavailable', `QUIC needs the package @currentspace/http3, which ${why}`, {
      hint: 'npm install @currentspace/http3@0.9.0',
      cause,
    });
  }
}

async function loadInstalled(): Promise<QuicLibrary> {
  const file = createRequire(import.meta.url).resolve('@currentspace/http3');
  return await import(pathToFileURL(file).href);
}
