import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { CallCredentials, ChannelCredentials, type experimental } from '@grpc/grpc-js';
import type { Line } from './link.ts';
import { trusting } from './trust.ts';
import type { TlsOptions } from './websocket-connection.ts';

/** How a channel of gRPC comes from a TCP connection to one that it speaks on. */
export type LineSecurity = {
  /** The host of the URL, which a certificate has to name. */
  host: string;
  /** How a server is trusted; `none` where no TLS is spoken. */
  tls: TlsOptions | undefined | 'none';
};

/**
 * The place where grpc-js lets others have a hand in its connections: what it has connected goes
 * over a simulated network where there is one, and TLS goes over that. TLS is our own, as for
 * WebSockets: an address is not sent as the name of a server (RFC 6066, section 3).
 */
export class LineCredentials extends ChannelCredentials {
  readonly #security: LineSecurity;
  readonly #line: Line | undefined;

  constructor(security: LineSecurity, line: Line | undefined) {
    super();
    this.#security = security;
    this.#line = line;
  }

  override _isSecure(): boolean {
    return this.#security.tls !== 'none';
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    _target: unknown,
    _options: unknown,
    callCredentials = CallCredentials.createEmpty(),
  ): experimental.SecureConnector {
    return {
      connect: (socket) => this.#connect(socket),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials,
      destroy() {},
    };
  }

  async #connect(socket: Socket): Promise<experimental.SecureConnectResult> {
    const near = (await this.#line?.join(socket)) ?? socket;
    const { host, tls } = this.#security;
    if (tls === 'none') return { socket: asSocket(near), secure: false };
    try {
      return { socket: await secured(near, host, tls), secure: true };
    } catch (error) {
      near.destroy();
      throw error;
    }
  }
}

/** HTTP/2 and TLS take any stream of bytes, though grpc-js asks for a socket. */
function asSocket(near: Duplex): Socket {
  return near as Socket;
}

function secured(near: Duplex, host: string, tls: TlsOptions | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      socket: near,
      host,
      ...(/^[\d.:]+$/.test(host) ? {} : { servername: host }),
      ALPNProtocols: ['h2'],
      ...(tls?.ca && { secureContext: trusting(tls.ca) }),
      ...(tls?.insecure && { rejectUnauthorized: false }),
    });
    socket.once('secureConnect', () => resolve(socket));
    socket.on('error', reject);
    near.once('close', () => reject(new Error('the connection was cut')));
  });
}
