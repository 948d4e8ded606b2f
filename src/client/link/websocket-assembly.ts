/** A server's message may have this many bytes: the final of the longest text, and half as many. */
export const mostMessageBytes = 8 * 1024 * 1024;
/** And come in this many fragments, empty ones included: 2 KiB each in the longest message. */
export const mostFragments = 4096;

/**
 * Bytes that the unfinished messages of all connections of a process may take: a server that begins
 * a long message on each of a thousand connections would take 8 GiB.
 */
const mostAssemblingBytes = 256 * 1024 * 1024;
let assemblingBytes = 0;

/**
 * A message that comes in pieces: each is copied once into memory that doubles as they come, so
 * that what it takes follows what was sent and not what was announced.
 */
export class MessageAssembly {
  #bytes: Buffer = none;
  #length = 0;
  fragments = 0;

  get length(): number {
    return this.#length;
  }

  /**
   * False when there is no room: the unfinished messages of this process take too much together.
   */
  add(piece: Buffer, begin: number, end: number): boolean {
    const length = this.#length + end - begin;
    if (length > this.#bytes.length && !this.#grow(length)) return false;
    piece.copy(this.#bytes, this.#length, begin, end);
    this.#length = length;
    return true;
  }

  /** The message so far; nobody else's any more. */
  take(): Buffer {
    const message = this.#bytes.subarray(0, this.#length);
    this.release();
    return message;
  }

  /** Forgets it all; to be called when the connection ends, too. */
  release(): void {
    assemblingBytes -= this.#bytes.length;
    this.#bytes = none;
    this.#length = 0;
    this.fragments = 0;
  }

  #grow(length: number): boolean {
    const left = mostAssemblingBytes - assemblingBytes + this.#bytes.length;
    if (length > left) return false;
    const room = Math.min(left, Math.max(length, Math.min(2 * this.#bytes.length, mostMessageBytes), leastBytes));
    const bytes = Buffer.allocUnsafeSlow(room);
    this.#bytes.copy(bytes, 0, 0, this.#length);
    assemblingBytes += room - this.#bytes.length;
    this.#bytes = bytes;
    return true;
  }
}

const none = Buffer.alloc(0);
const leastBytes = 1024;
