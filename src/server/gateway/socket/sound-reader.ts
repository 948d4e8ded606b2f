import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/**
 * Reads the WebSocket frames that nearly all of a learner's are, whole binary messages of sound
 * that lie within one piece of the stream, in place and before ws: that goes through two streams,
 * three emitters and four buffers for each. Everything else is left to ws byte for byte: texts,
 * pings, fragments, frames that are cut in two, and whatever breaks the protocol. ws is never in
 * the middle of a message when a frame is read here, and once the WebSocket closes it reads all
 * that comes.
 */
export class SoundReader {
  readonly #socket: WebSocket;
  readonly #transport: Duplex;
  readonly #mostBytes: number;
  readonly #onSound: (message: Buffer) => void;
  readonly #toWs: (piece: Buffer) => void;
  readonly #place = new MessagePlace();
  #isOver = false;

  /**
   * The reader in the place of ws, or undefined where somebody else reads the transport already.
   *
   * @param transport the connection below the WebSocket, which compresses nothing.
   * @param mostBytes longer messages are left to ws, which has its own word for them.
   * @param onSound hears each message, a view of the piece that it came in.
   */
  static before(
    socket: WebSocket,
    transport: Duplex,
    mostBytes: number,
    onSound: (message: Buffer) => void,
  ): SoundReader | undefined {
    const listeners = transport.listeners('data') as ((piece: Buffer) => void)[];
    return listeners.length === 1 ? new SoundReader(socket, transport, mostBytes, onSound, listeners[0]!) : undefined;
  }

  private constructor(
    socket: WebSocket,
    transport: Duplex,
    mostBytes: number,
    onSound: (message: Buffer) => void,
    toWs: (piece: Buffer) => void,
  ) {
    this.#socket = socket;
    this.#transport = transport;
    this.#mostBytes = Math.min(mostBytes, longest16);
    this.#onSound = onSound;
    this.#toWs = toWs;
    transport.on('data', this.#read);
    transport.off('data', toWs);
    // What ws could not read is the last that it reads.
    socket.once('error', () => {
      this.#isOver = true;
      transport.off('data', this.#read);
    });
  }

  /** Leaves all that comes from here on to ws. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#transport.off('data', this.#read);
    this.#transport.on('data', this.#toWs);
  }

  readonly #read = (piece: Buffer): void => {
    const socket = this.#socket;
    let at = 0;
    if (this.#place.isBetween) {
      while (!this.#isOver && socket.readyState === socket.OPEN) {
        const end = this.#endOfSound(piece, at);
        if (end < 0) break;
        unmask(piece, at + headBytes, end);
        this.#onSound(piece.subarray(at + headBytes, end));
        at = end;
        if (at === piece.length) return;
      }
    }
    this.#leave(at === 0 ? piece : piece.subarray(at));
  };

  /** Where a whole masked binary message ends that begins at `at`; -1: something else does. */
  #endOfSound(piece: Buffer, at: number): number {
    if (at + headBytes > piece.length || piece[at] !== finalBinary || piece[at + 1] !== masked16) return -1;
    const bytes = (piece[at + 2]! << 8) | piece[at + 3]!;
    const end = at + headBytes + bytes;
    return bytes > this.#mostBytes || end > piece.length ? -1 : end;
  }

  /** ws is heard by the transport while it reads, so that it can leave it as it would by itself. */
  #leave(piece: Buffer): void {
    const transport = this.#transport;
    if (this.#isOver) {
      this.#toWs.call(transport, piece);
      return;
    }
    transport.on('data', this.#toWs);
    this.#toWs.call(transport, piece);
    this.#place.follow(piece);
    if (this.#isOver) {
      // It was stopped meanwhile, which made ws a listener once more.
      transport.off('data', this.#toWs);
      return;
    }
    if (this.#socket.readyState === this.#socket.OPEN) transport.off('data', this.#toWs);
    else {
      this.#isOver = true;
      transport.off('data', this.#read);
    }
  }
}

/** Where in the messages of a WebSocket its stream is (RFC 6455, section 5.2). */
class MessagePlace {
  /** Bytes that are still to come of the frame that has begun. */
  #missing = 0;
  /** The beginning of a frame whose head is not all there. */
  #part: Buffer | undefined;
  #isFragmented = false;

  /** Whether the last message is over and none has begun. */
  get isBetween(): boolean {
    return this.#missing === 0 && this.#part === undefined && !this.#isFragmented;
  }

  /** The stream has gone on by this piece. */
  follow(piece: Buffer): void {
    const bytes = this.#part ? Buffer.concat([this.#part, piece]) : piece;
    this.#part = undefined;
    for (let at = 0; at < bytes.length; ) {
      if (this.#missing === 0) {
        const head = headLength(bytes, at);
        if (at + head > bytes.length) {
          this.#part = Buffer.from(bytes.subarray(at));
          return;
        }
        this.#missing = payloadLength(bytes, at);
        if ((bytes[at]! & opcodeBits) < firstControl) this.#isFragmented = bytes[at]! < finalBit;
        at += head;
      }
      const taken = Math.min(this.#missing, bytes.length - at);
      this.#missing -= taken;
      at += taken;
    }
  }
}

/** Bytes of the head of the frame at `at`, or how many more than there are. */
function headLength(bytes: Buffer, at: number): number {
  if (at + 2 > bytes.length) return 2;
  const [second, length] = [bytes[at + 1]!, bytes[at + 1]! & lengthBits];
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (second >= maskBit ? 4 : 0);
}

function payloadLength(bytes: Buffer, at: number): number {
  const length = bytes[at + 1]! & lengthBits;
  if (length === 126) return bytes.readUInt16BE(at + 2);
  return length === 127 ? bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6) : length;
}

/**
 * Takes the mask, the four bytes before `from`, off the bytes up to `end`: words where they are.
 */
function unmask(bytes: Buffer, from: number, end: number): void {
  const keyAt = from - 4;
  let at = from;
  if ((bytes.byteOffset + keyAt) % 4 === 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + keyAt, (end - keyAt) >> 2);
    const key = words[0]!;
    for (let i = 1; i < words.length; i++) words[i]! ^= key;
    at = keyAt + 4 * words.length;
  }
  for (; at < end; at++) bytes[at]! ^= bytes[keyAt + ((at - from) & 3)]!;
}

/** Two bytes, the length in 16 bits, the mask. */
const headBytes = 8;
const finalBinary = 0x82;
const masked16 = 0xfe;
const longest16 = 0xffff;
const finalBit = 0x80;
const maskBit = 0x80;
const lengthBits = 0x7f;
const opcodeBits = 0x0f;
const firstControl = 8;
