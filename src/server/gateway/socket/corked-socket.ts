import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { SessionSocket } from '../../session/session-options.ts';

/**
 * A WebSocket as sessions write to it. All events of one turn of the event loop go out in one
 * write: a system call costs more than an event. They are put into WebSocket frames here, since a
 * server's text frames are a few bytes before the text, and the library makes buffers, objects and
 * a callback for each.
 */
export class CorkedSocket implements SessionSocket {
  readonly #socket: WebSocket;
  readonly #transport: Duplex;
  readonly #onWritten: () => void;
  /** Frames that wait for the end of the turn, a character a byte. */
  #waiting = '';
  #isClosing = false;
  /** Whether the client goes where `moving` says. */
  followsMoves = false;

  /** @param transport the connection below the WebSocket, which compresses nothing. */
  constructor(socket: WebSocket, transport: Duplex, onWritten: () => void) {
    this.#socket = socket;
    this.#transport = transport;
    this.#onWritten = onWritten;
  }

  /** Whether this side has closed it; messages that still come are to be ignored. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  write(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#waiting === '') process.nextTick(() => this.#flush());
    this.#waiting += textFrame(text);
  }

  unsentBytes(): number {
    return this.#socket.bufferedAmount + this.#waiting.length;
  }

  /** Pings behind all that was written. */
  ping(data: string): void {
    this.#flush();
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping(data);
  }

  close(code: number, reason: string): void {
    if (!this.#isClosing) this.#endFlood();
    this.#isClosing = true;
    this.#flush();
    this.#socket.close(code, fitReason(reason));
  }

  /** Cuts a client that was told to go and goes on: ws reads all that comes for 5 s more. */
  #endFlood(): void {
    let bytes = 0;
    this.#transport.on('data', (data: Uint8Array) => {
      bytes += data.length;
      if (bytes > mostAfterClose) this.#socket.terminate();
    });
  }

  #flush(): void {
    const frames = this.#waiting;
    this.#waiting = '';
    if (frames === '' || this.#socket.readyState !== this.#socket.OPEN) return;
    // Node copies a string of single bytes straight into the system call.
    this.#transport.write(frames, 'latin1', this.#onWritten);
  }
}

/** A whole message of one unmasked frame (RFC 6455 section 5.2), a character a byte. */
function textFrame(text: string): string {
  const bytes = Buffer.byteLength(text);
  const payload = bytes === text.length ? text : Buffer.from(text).toString('latin1');
  if (bytes < 126) return String.fromCharCode(finalText, bytes) + payload;
  if (bytes < 65_536) return String.fromCharCode(finalText, 126, bytes >> 8, bytes & 255) + payload;
  const length = Buffer.alloc(8);
  length.writeUInt32BE(Math.floor(bytes / 2 ** 32));
  length.writeUInt32BE(bytes % 2 ** 32, 4);
  return String.fromCharCode(finalText, 127) + length.toString('latin1') + payload;
}

/**
 * What was on its way when it was closed is read, so that the client hears why: 15 s of sound fit.
 */
const mostAfterClose = 1 << 20;
const finalText = 0x81;
const maxReasonBytes = 123;

/** A close reason holds 123 bytes of UTF-8; the `error` before it has the whole sentence. */
function fitReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= maxReasonBytes) return reason;
  return bytes
    .subarray(0, maxReasonBytes)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}
