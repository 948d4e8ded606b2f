import { lookup } from 'node:dns/promises';
import { SpeechfbError } from '../errors.ts';
import { type QuicLibrary, type QuicServer, quicProtocol, quicRuntime } from './library.ts';
import { QuicSocket } from './quic-socket.ts';

export type QuicListenerOptions = {
  library: QuicLibrary;
  host: string;
  /** UDP. */
  port: number;
  /** PEM texts. */
  certificate: string;
  key: string;
  /** Connections at once, those whose stream has not come among them; more are not answered. */
  mostConnections: number;
  /** How long the stream of a connection may take to come. */
  handshakeMs: number;
  /** A connection over which nothing comes for so long is gone. */
  idleMs: number;
  onSocket(socket: QuicSocket): void;
  /** A connection had no stream in time. */
  onSilent(): void;
};

/** Takes QUIC connections. */
export class QuicListener {
  /** The port that it really has. */
  readonly port: number;
  readonly #server: QuicServer;

  private constructor(server: QuicServer, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @throws SpeechfbError `port_in_use`, `cannot_listen`, `bad_tls` */
  static async open(options: QuicListenerOptions): Promise<QuicListener> {
    const { library, host, port, certificate, key, mostConnections, handshakeMs, idleMs } = options;
    const server = library.createQuicServer({
      ...quicRuntime,
      cert: certificate,
      key,
      alpn: [quicProtocol],
      enableDatagrams: true,
      initialMaxStreamsBidi: 1,
      maxConnections: mostConnections,
      maxIdleTimeoutMs: idleMs,
    });
    // What goes wrong with a connection is the connection's own end.
    server.on('error', () => {});
    server.on('session', (session) => {
      session.on('error', () => {});
      const timer = setTimeout(() => {
        options.onSilent();
        session.close();
      }, handshakeMs);
      session.on('close', () => clearTimeout(timer));
      const { remoteAddress, remotePort } = session;
      session.on('stream', (stream) => {
        clearTimeout(timer);
        const socket = new QuicSocket({ remoteAddress, remotePort, lingerMs });
        socket.begin(session, stream);
        options.onSocket(socket);
      });
    });
    try {
      const { address } = await lookup(host);
      const bound = await server.listen(port, address);
      return new QuicListener(server, bound.port);
    } catch (cause) {
      await server.close();
      throw listenTrouble(cause, host, port);
    }
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    await this.#server.close();
  }
}

/** Last words take some round trips at most. */
const lingerMs = 2000;

function listenTrouble(cause: unknown, host: string, port: number): SpeechfbError {
  const words = String((cause as Error).message).replace(/^\[[^\]]*\] */, '');
  if (/address already in use/i.test(words)) {
    const hint = 'choose another with --quic; find who has it: ss -lunp';
    return new SpeechfbError('port_in_use', `UDP port ${port} on ${host} is in use`, { hint, cause });
  }
  if (/\b(certificate|key|tls|pem)\b/i.test(words)) {
    const message = 'QUIC cannot use the certificate and key';
    return new SpeechfbError('bad_tls', message, { hint: '--tls-cert and --tls-key are PEM files', cause });
  }
  const hint = '--host takes an address of this machine';
  return new SpeechfbError('cannot_listen', `cannot listen for QUIC on ${host}:${port}: ${words}`, { hint, cause });
}
