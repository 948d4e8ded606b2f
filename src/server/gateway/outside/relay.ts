import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { streamPath, subprotocol } from '../../../protocol/address.ts';

export type RelayOptions = {
  /** The client, whose messages nobody else hears from here on. */
  outer: WebSocket;
  /** The connection below it. */
  transport: Duplex;
  /** Where the gateway that has the session takes it, and what to show there. */
  port: number;
  headers: Record<string, string>;
  /** What the client has said so far. */
  said: readonly Said[];
  /** No gateway took it: `gone` when nobody listens there, `silent` when nobody answers. */
  onFailed(why: 'gone' | 'silent'): void;
};

/** What became of a frame of sound that came as a datagram. */
type DatagramOutcome = 'heard' | 'early' | 'unread';

/** A message as ws gives it. */
export type Said = { data: Buffer; isBinary: boolean };

/**
 * Joins a client to the gateway that has its session: each message, ping, pong and close goes on as
 * it comes, and what one side does not read is not read from the other, so that a slow reader looks
 * slow to its session and memory has an end.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #outer: WebSocket;
  readonly #inner: WebSocket;
  /** What is to be done when the other gateway has answered. */
  readonly #early: (() => void)[] = [];
  #isCorked = false;

  constructor(options: RelayOptions) {
    const { outer, port, headers } = options;
    this.#options = options;
    this.#outer = outer;
    this.#inner = new WebSocket(`ws://127.0.0.1:${port}${streamPath}`, subprotocol, {
      headers,
      perMessageDeflate: false,
      autoPong: false,
      handshakeTimeout: answerMs,
      // No proxy stands between two processes of one machine: there is nothing to mask from.
      generateMask: (mask) => mask.fill(0),
    });
  }

  begin(): void {
    this.#outer.pause();
    for (const said of this.#options.said) this.#early.push(() => this.#send(this.#inner, this.#outer, said));
    this.#listenToOuter();
    this.#listenToInner();
  }

  /**
   * Sends on what came beside the connection, which nobody may hold back.
   * @returns what became of it; `early`, `unread`: it is dropped, since the other gateway does not
   *   answer yet, or has not read `mostUnsentBytes` of what came before
   */
  sayBeside(data: Buffer): DatagramOutcome {
    const inner = this.#inner;
    if (inner.readyState !== WebSocket.OPEN) return 'early';
    if (inner.bufferedAmount > mostUnsentBytes) return 'unread';
    inner.send(data);
    return 'heard';
  }

  #listenToOuter(): void {
    const outer = this.#outer;
    const inner = this.#inner;
    // A client that is paused may still have said more in the same piece.
    const whenOpen = (act: () => void): void => {
      if (inner.readyState === WebSocket.CONNECTING) this.#early.push(act);
      else if (inner.readyState === WebSocket.OPEN) act();
    };
    outer.on('message', (data: Buffer, isBinary) => whenOpen(() => this.#send(inner, outer, { data, isBinary })));
    outer.on('ping', (data) => whenOpen(() => inner.ping(data)));
    outer.on('pong', (data) => whenOpen(() => inner.pong(data)));
    outer.on('close', (code, reason) => close(inner, code, reason));
  }

  #listenToInner(): void {
    const outer = this.#outer;
    const inner = this.#inner;
    let isOpen = false;
    inner.on('open', () => {
      isOpen = true;
      for (const act of this.#early.splice(0)) act();
      outer.resume();
    });
    inner.on('error', (error: NodeJS.ErrnoException) => {
      if (isOpen || outer.readyState !== WebSocket.OPEN) return;
      outer.resume();
      this.#options.onFailed(error.code === 'ECONNREFUSED' ? 'gone' : 'silent');
    });
    inner.on('message', (data: Buffer, isBinary) => {
      this.#cork();
      this.#send(outer, inner, { data, isBinary });
    });
    inner.on('ping', (data) => outer.readyState === WebSocket.OPEN && outer.ping(data));
    inner.on('pong', (data) => outer.readyState === WebSocket.OPEN && outer.pong(data));
    inner.on('close', (code, reason) => isOpen && close(outer, code, reason));
  }

  /** Sends to one side what came from the other, which waits when it is not read. */
  #send(to: WebSocket, from: WebSocket, { data, isBinary }: Said): void {
    if (to.readyState !== WebSocket.OPEN) return;
    to.send(data, { binary: isBinary }, () => {
      if (from.isPaused && to.bufferedAmount < mostUnsentBytes) from.resume();
    });
    if (to.bufferedAmount > mostUnsentBytes) from.pause();
  }

  /** All that one turn of the event loop brings goes out in one write. */
  #cork(): void {
    if (this.#isCorked) return;
    const { transport } = this.#options;
    this.#isCorked = true;
    transport.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      transport.uncork();
    });
  }
}

/** Ends one side as the other has ended: a cut stays a cut, after which the client may resume. */
function close(socket: WebSocket, code: number, reason: Buffer): void {
  if (code === cut || code === tlsFailed) socket.terminate();
  else if (code === withoutCode) socket.close();
  else socket.close(code, reason);
}

const withoutCode = 1005;
const cut = 1006;
const tlsFailed = 1015;
/** A gateway that lives answers its neighbour within milliseconds. */
const answerMs = 2000;
/** A few seconds of sound, or of events. */
const mostUnsentBytes = 65_536;
