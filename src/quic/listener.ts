import { lookup } from 'node:dns/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SpeechfbError } from '../errors.ts';
import { cannotListen } from '../listen.ts';
import { type QuicLibrary, type QuicServer, quicProtocol, quicRuntime, type ServerConnection } from './library.ts';
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
  readonly #options: QuicListenerOptions;
  /** Undefined: another takes its place just now, or none could. */
  #server: QuicServer | undefined;
  #connections = 0;
  #renewing: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(options: QuicListenerOptions, { server, port }: Bound) {
    this.#options = options;
    this.port = port;
    this.#serveBy(server);
  }

  /** @throws SpeechfbError `port_in_use`, `cannot_listen`, `bad_tls` */
  static async open(options: QuicListenerOptions): Promise<QuicListener> {
    return new QuicListener(options, await bind(options, options, options.port));
  }

  /**
   * Shows this certificate from here on, at the same port. The library neither changes that of a
   * socket nor shares a port, so that every connection is cut, and clients come back to their
   * sessions.
   * @returns how many connections were cut
   * @throws SpeechfbError `bad_tls`, and all stays as it was; `port_in_use`, `cannot_listen`, and
   *   nobody listens any more
   */
  renew(pair: PemPair): Promise<number> {
    const renewed = this.#renewing.then(() => this.#renew(pair));
    this.#renewing = renewed.catch(() => {});
    return renewed;
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#server?.close();
    await this.#renewing;
  }

  async #renew(pair: PemPair): Promise<number> {
    // What the library does not take must not cost anybody a connection.
    const tried = await bind(this.#options, pair, 0);
    await tried.server.close();
    if (this.#isClosed) return 0;
    const cut = this.#connections;
    await this.#server?.close();
    this.#server = undefined;
    const { server } = await this.#bindAgain(pair);
    if (this.#isClosed) await server.close();
    else this.#serveBy(server);
    return cut;
  }

  /** Anybody on this machine could have been given the port in the moment without a listener. */
  async #bindAgain(pair: PemPair): Promise<Bound> {
    for (let triesLeft = mostTries; ; triesLeft--) {
      try {
        return await bind(this.#options, pair, this.port);
      } catch (error) {
        if (triesLeft <= 1 || this.#isClosed) throw error;
        await wait(againAfterMs);
      }
    }
  }

  #serveBy(server: QuicServer): void {
    this.#server = server;
    server.on('session', (connection) => {
      this.#connections += 1;
      connection.on('close', () => {
        this.#connections -= 1;
      });
      takeStream(connection, this.#options);
    });
  }
}

/** A certificate, with the chain behind it, and its private key, PEM texts. */
type PemPair = Pick<QuicListenerOptions, 'certificate' | 'key'>;

type Bound = { server: QuicServer; port: number };

async function bind(options: QuicListenerOptions, { certificate, key }: PemPair, port: number): Promise<Bound> {
  const { library, host, mostConnections, idleMs } = options;
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
  try {
    const { address } = await lookup(host);
    const bound = await inPrivate(() => server.listen(port, address));
    return { server, port: bound.port };
  } catch (cause) {
    await server.close();
    throw listenTrouble(cause, host, port);
  }
}

/**
 * The library writes the private key to a file in the directory for temporary ones, under a name
 * that can be foreseen and readable for everybody, before it returns. So that is a directory of
 * ours alone meanwhile.
 */
function inPrivate<Result>(call: () => Result): Result {
  const before = process.env.TMPDIR;
  const directory = mkdtempSync(join(tmpdir(), 'speechfb-quic-'));
  process.env.TMPDIR = directory;
  try {
    return call();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Makes a socket of a connection once its stream is there, and cuts it where none comes. */
function takeStream(connection: ServerConnection, { handshakeMs, onSilent, onSocket }: QuicListenerOptions): void {
  connection.on('error', () => {});
  const timer = setTimeout(() => {
    onSilent();
    connection.close();
  }, handshakeMs);
  connection.on('close', () => clearTimeout(timer));
  const { remoteAddress, remotePort } = connection;
  connection.on('stream', (stream) => {
    clearTimeout(timer);
    const socket = new QuicSocket({ remoteAddress, remotePort, lingerMs });
    socket.begin(connection, stream);
    onSocket(socket);
  });
}

/** Last words take some round trips at most. */
const lingerMs = 2000;
/** How long a port is tried for that was ours a moment ago: 10 s. */
const mostTries = 100;
const againAfterMs = 100;

/** The library's words begin with the number of the system's answer, where that gave one. */
function listenTrouble(cause: unknown, host: string, port: number): SpeechfbError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const words = String(message);
  if (/address already in use/i.test(words)) {
    const hint = 'choose another with --quic; find who has it: ss -lunp';
    return new SpeechfbError('port_in_use', `UDP port ${port} on ${host} is in use`, { hint, cause });
  }
  if (/\b(TlsFail|certificate|key|tls|pem)\b/i.test(words)) {
    const hint = '--tls-cert and --tls-key are PEM files';
    return new SpeechfbError('bad_tls', 'QUIC cannot use the certificate and key', { hint, cause });
  }
  const errno = /errno=(\d+)/.exec(words)?.[1];
  const name = Object.keys(constants.errno).find((one) => String(constants.errno[one as 'EPERM']) === errno) ?? code;
  return cannotListen('for QUIC ', { host, port }, name, { hint: '--host takes an address of this machine', cause });
}
