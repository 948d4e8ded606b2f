import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { SpeechfbError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';

/**
 * PEM texts; only gateways whose certificate `authority` signed may come, and they are shown
 * `certificate`.
 */
export type NodeTls = { certificate: string; key: string; authority: string };

export type NodePortOptions = {
  /** `host:port`, port 0 for any free one, or `unix:/path`. */
  address: string;
  tls: NodeTls | undefined;
  log: Log;
  /**
   * A connection on which nothing came for this long is closed, ms; default 30,000, three times
   * what a gateway without sessions is silent for.
   */
  silentMs?: number;
  /** Takes a connection on which TLS, if there is any, is done. */
  onConnection(socket: Socket): void;
};

/**
 * Where gateways come in: so many connections at once, so many from one address, none that says
 * nothing. Whoever listens has TLS done before HTTP/2 is spoken, and takes other certificates
 * without being closed.
 */
export class NodePort {
  readonly #options: NodePortOptions;
  readonly #server: Server | TlsServer;
  readonly #silence: NodeJS.Timeout;
  /** Bytes that had come of each connection when it was last looked at. */
  readonly #sockets = new Map<Socket, number>();
  readonly #byAddress = new Map<string, number>();
  /** Connections on which TLS, if there is any, is done, by peer. */
  readonly #known = new Map<string, { socket: Socket; hasTrunk: boolean }>();
  readonly #refusedBy: Record<WhyRefused, number> = {
    too_many: 0,
    tls: 0,
    silent: 0,
    no_trunk: 0,
    garbage: 0,
    unread: 0,
  };
  #refused = 0;
  #saidMs = Number.NEGATIVE_INFINITY;

  /** @throws SpeechfbError `bad_tls` */
  constructor(options: NodePortOptions) {
    this.#options = options;
    const { tls, silentMs = defaultSilentMs } = options;
    this.#silence = setInterval(() => this.#closeSilent(), silentMs).unref();
    if (tls) {
      const server = createSecure(tls);
      server.on('secureConnection', (socket) => this.#identify(socket));
      server.on('tlsClientError', ({ message }) => this.#say('tls', message));
      server.on('connection', (socket) => this.#count(socket));
      this.#server = server;
    } else {
      this.#server = createServer((socket) => {
        if (this.#count(socket)) this.#enter(socket);
      });
    }
  }

  /**
   * Resolves with the address that gateways are given.
   *
   * @throws SpeechfbError `cannot_listen`
   */
  open(): Promise<string> {
    const { address } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => reject(cannotListen(address, cause)));
      this.#server.listen(whereOf(address), () => {
        const bound = this.#server.address();
        const isPort = typeof bound === 'object' && bound !== null;
        resolve(isPort ? address.replace(/:\d+$/, `:${bound.port}`) : address);
      });
    });
  }

  /**
   * Shows and asks for other certificates from the next connection on.
   *
   * @throws SpeechfbError `bad_tls`
   */
  renew({ certificate, key, authority }: NodeTls): void {
    if (!('setSecureContext' in this.#server)) return;
    try {
      this.#server.setSecureContext({ cert: certificate, key, ca: authority });
    } catch (cause) {
      throw badTls(cause);
    }
  }

  /** Connections that were refused or cut since the start, by why. */
  get refused(): Readonly<Record<string, number>> {
    return this.#refusedBy;
  }

  /** A trunk was opened by this peer, `address:port`: it is a gateway. */
  trunkFrom(peer: string): void {
    const known = this.#known.get(peer);
    if (known) known.hasTrunk = true;
  }

  /**
   * Counts a gateway whose trunk was refused for what it did, and says why. Who leaves everything
   * unread would not read that either: its connection is cut.
   */
  refuseTrunk(peer: string, kind: 'garbage' | 'unread', why: string): void {
    this.#say(kind, why);
    if (kind === 'unread') this.#known.get(peer)?.socket.destroy();
  }

  close(): void {
    clearInterval(this.#silence);
    this.#server.close();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  /** Counts a connection by where it comes from; false: there are too many, and it is closed. */
  #count(socket: Socket): boolean {
    const from = socket.remoteAddress ?? '';
    const others = this.#byAddress.get(from) ?? 0;
    if (this.#sockets.size >= mostConnections || others >= mostOfOneAddress) {
      socket.destroy();
      this.#say(
        'too_many',
        `there are ${others} connections from ${from || 'this machine'}, ${this.#sockets.size} in all`,
      );
      return false;
    }
    this.#sockets.set(socket, noneYet);
    this.#byAddress.set(from, others + 1);
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#byAddress.get(from) ?? 1) - 1;
      if (left > 0) this.#byAddress.set(from, left);
      else this.#byAddress.delete(from);
    });
    return true;
  }

  #identify(socket: TLSSocket): void {
    if (socket.authorized) {
      this.#enter(socket);
      return;
    }
    socket.destroy();
    const code = String(socket.authorizationError);
    this.#say('tls', refusals[code] ?? `its certificate was refused: ${code}`);
  }

  #enter(socket: Socket): void {
    socket.on('error', () => {});
    const peer = peerOf(socket);
    if (peer !== undefined) {
      this.#known.set(peer, { socket, hasTrunk: false });
      // Who only looked whether the port is open has said nothing.
      socket.once('close', () => {
        const isStranger = this.#known.get(peer)?.hasTrunk === false;
        this.#known.delete(peer);
        if (isStranger && socket.bytesRead > 0) this.#say('no_trunk', 'it said what no gateway says');
      });
    }
    this.#options.onConnection(socket);
  }

  /** HTTP/2 reads below the socket, which then sees no activity: what came is counted there. */
  #closeSilent(): void {
    for (const [socket, before] of this.#sockets) {
      if (socket.bytesRead === before) this.#cutSilent(socket);
      else this.#sockets.set(socket, socket.bytesRead);
    }
  }

  #cutSilent(socket: Socket): void {
    const peer = peerOf(socket) ?? '';
    // Who is silent before TLS is done has failed in that.
    if (!this.#options.tls || this.#known.has(peer)) this.#refusedBy.silent += 1;
    this.trunkFrom(peer);
    socket.destroy();
  }

  /** Says of those who are refused how many, and why the last was, once in some seconds. */
  #say(kind: WhyRefused, why: string): void {
    this.#refusedBy[kind] += 1;
    this.#refused += 1;
    const nowMs = performance.now();
    if (nowMs - this.#saidMs < sayMs) return;
    this.#saidMs = nowMs;
    this.#options.log.warn({ why, connections: this.#refused }, 'a connection to this node was refused');
    this.#refused = 0;
  }
}

type WhyRefused = 'too_many' | 'tls' | 'silent' | 'no_trunk' | 'garbage' | 'unread';

/** Where a connection comes from, as gRPC names it; undefined: a socket of this machine. */
function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress}:${remotePort}`;
}

function createSecure({ certificate, key, authority }: NodeTls): TlsServer {
  try {
    return createTlsServer({
      cert: certificate,
      key,
      ca: authority,
      requestCert: true,
      // Looked at when the handshake is over: else nobody learns why it was refused.
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      handshakeTimeout: handshakeMs,
    });
  } catch (cause) {
    throw badTls(cause);
  }
}

function whereOf(address: string): { path: string } | { host: string; port: number } {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const [, host = '', port] = /^(.*):(\d+)$/.exec(address) ?? [];
  const bare = host.replace(/^\[|\]$/g, '');
  return { host: isIPv6(bare) ? bare : host, port: Number(port) };
}

function cannotListen(address: string, cause: Error): SpeechfbError {
  const message = `no gateway can be heard at ${address}: it is taken, or not of this machine`;
  const hint = '--node-listen takes host:port, port 0 for any free one, or unix:/path';
  return new SpeechfbError('cannot_listen', message, { hint, cause });
}

function badTls(cause: unknown): SpeechfbError {
  return new SpeechfbError('bad_tls', 'the certificate or key of the node cannot be used', { cause });
}

/** What OpenSSL calls what is wrong with a gateway's certificate. */
const refusals: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the gateway's certificate has expired",
  CERT_NOT_YET_VALID: "the gateway's certificate is not good yet, or a clock is wrong",
  UNABLE_TO_GET_ISSUER_CERT: 'the gateway shows no certificate, or one of an authority that is not in --node-ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the gateway's certificate is of an authority that is not in --node-ca",
};

/** A gateway has one trunk to a node, and a second one while the first still ends. */
const mostOfOneAddress = 64;
const mostConnections = 1024;
const handshakeMs = 5000;
const defaultSilentMs = 30_000;
/** A connection that has just come is looked at first in a whole interval. */
const noneYet = -1;
const sayMs = 10_000;
