import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext } from 'node:tls';
import { CallCredentials, ChannelCredentials, type experimental } from '@grpc/grpc-js';

/** PEM texts: what a gateway shows, and who signs nodes. */
export type TrunkTls = { certificate: string; key: string; authority: string };

/**
 * The TLS of a gateway's trunks. It is our own since grpc-js names the server to it whatever its
 * address is, and an IP address is no such name (RFC 6066, section 3). The certificate has to name
 * what the gateway was given, a name or an address.
 */
export class TrunkCredentials extends ChannelCredentials {
  readonly #context: SecureContext;

  /** @throws Error by OpenSSL: one of the texts cannot be used */
  constructor({ certificate, key, authority }: TrunkTls) {
    super();
    this.#context = createSecureContext({ cert: certificate, key, ca: authority });
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    { path }: { path: string },
    _options: unknown,
    callCredentials = CallCredentials.createEmpty(),
  ): experimental.SecureConnector {
    const host = hostOf(path);
    return {
      connect: (socket) => this.#connect(socket, host),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials,
      destroy() {},
    };
  }

  #connect(near: Socket, host: string): Promise<experimental.SecureConnectResult> {
    return new Promise((resolve, reject) => {
      const socket = connect({
        socket: near,
        host,
        ...(isIP(host) === 0 && { servername: host }),
        ALPNProtocols: ['h2'],
        secureContext: this.#context,
      });
      socket.once('secureConnect', () => resolve({ socket, secure: true }));
      socket.on('error', reject);
      near.once('close', () => reject(new Error('the connection was cut')));
    });
  }
}

/** The host of a target, `host:port`; that of a socket of this machine is `localhost`. */
function hostOf(path: string): string {
  const [, host = 'localhost'] = /^\[?([^/\]]+)\]?:\d+$/.exec(path) ?? [];
  return host;
}
