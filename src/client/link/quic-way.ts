import { type ChecksummedFrame, encodeFrame, frameFlags, frameHeaderBytes } from '../../protocol/frame.ts';
import { dialQuic } from '../../quic/dial.ts';
import { mostDatagramBytes, type QuicSocket } from '../../quic/quic-socket.ts';

/**
 * What carries a link of speechfb.v1: TCP, one stream of QUIC, or that with the frames of sound as
 * datagrams beside it.
 */
export const transports = ['websocket', 'quic-stream', 'quic-datagram'] as const;
export type LinkTransport = (typeof transports)[number];

/** A socket over QUIC to where a wss:// URL leads, read as those of TCP are. */
export function openQuic({ hostname, port }: URL, { tls, handshakeMs, buffer, read }: QuicOptions): QuicSocket {
  const socket = dialQuic({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || 443,
    ca: tls?.ca,
    insecure: tls?.insecure,
    handshakeMs,
  });
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += buffer.length) {
      const length = chunk.copy(buffer, 0, at, at + buffer.length);
      if (!read(length)) socket.pause();
    }
  });
  return socket;
}

type QuicOptions = {
  tls: { ca?: string; insecure?: boolean } | undefined;
  handshakeMs: number;
  /** Where what came lies during the call of `read`, which says whether to read on at once. */
  buffer: Buffer;
  read(length: number): boolean;
};

/**
 * Which frames of a link go as datagrams. What the server must not miss goes on the stream: what is
 * sent again, what no datagram holds, and what follows a message until the server has read that, so
 * that no frame of the next utterance overtakes what begins it.
 */
export class Datagrams {
  readonly #socket: QuicSocket;
  /** Pings that have no answer yet, in order; true: ours. */
  readonly #pings: boolean[] = [];
  #oursOut = 0;
  #unheardBytes = 0;

  constructor(socket: QuicSocket) {
    this.#socket = socket;
  }

  /** Sends a frame; false: it has to go on the stream. */
  send(frame: ChecksummedFrame): boolean {
    if (this.#oursOut > 0 || (frame.flags & frameFlags.retransmit) !== 0) return false;
    if (frameHeaderBytes + frame.payload.byteLength > mostDatagramBytes) return false;
    const datagram = encodeFrame(frame);
    if (!this.#socket.sendDatagram(datagram)) return false;
    this.#unheardBytes += datagram.length;
    return true;
  }

  /**
   * Bytes that went as datagrams since the server was last heard. QUIC takes megabytes for a path
   * that carries nothing, and does not say so; a server that hears says so several times a second.
   */
  get unheardBytes(): number {
    return this.#unheardBytes;
  }

  /** Something came from the server. */
  heard(): void {
    this.#unheardBytes = 0;
  }

  /** A ping goes out: `isOurs` behind a message, the others ask for the app. */
  asked(isOurs: boolean): void {
    this.#pings.push(isOurs);
    if (isOurs) this.#oursOut += 1;
  }

  /** An answer came, each in its turn; true: the app has not asked for it. */
  answered(): boolean {
    const isOurs = this.#pings.shift() === true;
    if (isOurs) this.#oursOut -= 1;
    return isOurs;
  }
}
