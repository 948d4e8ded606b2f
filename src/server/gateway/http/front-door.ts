import type { Server } from 'node:http';
import { SpeechfbError } from '../../../errors.ts';
import { listen } from '../../../listen.ts';
import { loadQuic } from '../../../quic/library.ts';
import { QuicListener } from '../../../quic/listener.ts';
import type { QuicSocket } from '../../../quic/quic-socket.ts';
import type { TlsPair } from '../../admission/pem.ts';
import { checkTlsPair } from '../../admission/tls-pair.ts';
import type { Limits } from '../../limits.ts';
import { closeListener, listenHints, renewListener } from './listener.ts';
import { WideAccept } from './wide-accept.ts';

export type FrontDoorOptions = {
  http: Server;
  host: string;
  /** TCP; 0: any free one. */
  port: number;
  /** UDP, where QUIC is spoken too; 0: the number that `port` has. */
  quicPort: number | undefined;
  tls: TlsPair | undefined;
  limits: Pick<
    Limits,
    'acceptsATurn' | 'handshakeTimeoutMs' | 'heartbeatMs' | 'maxConnections' | 'maxPendingConnections'
  >;
  /** Somebody comes by QUIC; HTTP hears it next. */
  onQuic(socket: QuicSocket): void;
  /** A connection of QUIC was cut, since nothing came over it. */
  onSilent(): void;
  /** QUIC shows a new certificate, for which so many connections were cut. */
  onRenewed(cut: number): void;
  /** QUIC cannot show a new certificate. */
  onNotRenewed(error: SpeechfbError): void;
};

/**
 * Where callers come in: a TCP port and, beside it, a UDP port, over whose QUIC streams the same
 * HTTP is spoken.
 */
export class FrontDoor {
  readonly http: Server;
  readonly #options: FrontDoorOptions;
  readonly #accept: WideAccept;
  #quic: QuicListener | undefined;
  /** When the certificates that are shown by TCP and by QUIC end, ms since 1970. */
  #endsMs: number | undefined;
  #quicEndsMs: number | undefined;

  constructor(options: FrontDoorOptions) {
    this.http = options.http;
    this.#options = options;
    this.#accept = new WideAccept(options.http, options.limits);
    this.#endsMs = options.tls && checkTlsPair(options.tls);
    this.#quicEndsMs = this.#endsMs;
  }

  /** When the first certificate that is shown ends, ms since 1970. */
  get tlsEndsMs(): number | undefined {
    if (!this.#quic || this.#endsMs === undefined) return this.#endsMs;
    return Math.min(this.#endsMs, this.#quicEndsMs ?? this.#endsMs);
  }

  /**
   * @returns the TCP port that it really has
   * @throws SpeechfbError `port_in_use`, `cannot_listen`, `quic_unavailable`, `bad_tls`
   */
  async listen(): Promise<number> {
    const { http } = this;
    const { host, port, quicPort } = this.#options;
    if (quicPort === undefined) return await listen(http, { host, port }, listenHints);
    for (let triesLeft = port === 0 && quicPort === 0 ? mostTries : 1; ; triesLeft--) {
      const bound = await listen(http, { host, port }, listenHints);
      try {
        this.#quic = await this.#listenByQuic(quicPort === 0 ? bound : quicPort);
        return bound;
      } catch (error) {
        await closeListener(http);
        // Any free port of TCP may be taken in UDP.
        if (!(error instanceof SpeechfbError && error.code === 'port_in_use') || triesLeft <= 1) throw error;
      }
    }
  }

  /**
   * The same for one of several gateways: the supervisor hands over what comes by TCP, and one of
   * them takes all that comes by QUIC.
   */
  async listenInside(): Promise<void> {
    const { quicPort } = this.#options;
    if (quicPort !== undefined) this.#quic = await this.#listenByQuic(quicPort);
    // Node begins to look for late requests only when a server says that it listens.
    this.http.emit('listening');
  }

  /**
   * Shows this certificate from here on, by QUIC a moment later.
   * @throws SpeechfbError `bad_tls`, and the one before stays.
   */
  renewTls(tls: TlsPair): void {
    const { onNotRenewed, onRenewed } = this.#options;
    renewListener(this.http, tls);
    const endsMs = checkTlsPair(tls);
    this.#endsMs = endsMs;
    this.#quic?.renew(tls).then((cut) => {
      this.#quicEndsMs = endsMs;
      onRenewed(cut);
    }, onNotRenewed);
  }

  async close(): Promise<void> {
    await Promise.all([this.#accept.close(), this.#quic?.close()]);
  }

  async #listenByQuic(port: number): Promise<QuicListener> {
    const { http } = this;
    const { host, limits, onQuic, onSilent, tls } = this.#options;
    if (!tls) {
      const hint = 'add --tls-cert and --tls-key';
      throw new SpeechfbError('bad_tls', 'QUIC is always encrypted, and needs a certificate', { hint });
    }
    return await QuicListener.open({
      library: await loadQuic(),
      host,
      port,
      certificate: tls.certificate,
      key: tls.key,
      mostConnections: limits.maxConnections + limits.maxPendingConnections,
      handshakeMs: limits.handshakeTimeoutMs,
      // A heartbeat that is not answered by the next one cuts a socket sooner.
      idleMs: Math.max(leastIdleMs, 2 * limits.heartbeatMs),
      onSocket(socket) {
        onQuic(socket);
        // What comes by QUIC is encrypted already.
        if (!socket.destroyed) http.emit('secureConnection', socket);
      },
      onSilent,
    });
  }
}

const mostTries = 5;
const leastIdleMs = 5000;
