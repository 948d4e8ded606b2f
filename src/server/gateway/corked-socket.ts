import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { SessionSocket } from '../session/session.ts';

/**
 * A WebSocket as sessions write to it. All events of one turn of the event loop go out in one
 * write: a system call costs more than an event.
 */
export class CorkedSocket implements SessionSocket {
  readonly #socket: WebSocket;
  readonly #transport: Duplex;
  readonly #onWritten: () => void;
  #isCorked = false;
  #isClosing = false;

  /** @param transport the connection below the WebSocket. */
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
    this.#cork();
    this.#socket.send(text, this.#onWritten);
  }

  unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    this.#isClosing = true;
    this.#socket.close(code, fitReason(reason));
  }

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#transport.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#transport.uncork();
    });
  }
}

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
