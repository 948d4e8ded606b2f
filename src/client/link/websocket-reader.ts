import { isUtf8 } from 'node:buffer';
import { MessageAssembly, mostFragments, mostMessageBytes } from './websocket-assembly.ts';
import { opcodes } from './websocket-writer.ts';

/**
 * Reads the frames that a server sends (RFC 6455, section 5) from bytes cut anywhere. No
 * extensions. Nothing that a server sends makes it slower than linear, and each turn has an end:
 * after some frames the rest waits for `readOn`, so that timers and signals come in between. To be
 * extended by who wants to hear of them: one object a connection, as each that is touched on the
 * way of a message is a wait for memory.
 */
export abstract class WsReader {
  /** The frame that is read: its opcode, whether it ends its message, and its length. */
  #opcode = 0;
  #final = false;
  #length = 0;
  /** Bytes of it that have not come. */
  #missing = 0;
  /** Present from the first frame that did not come at once; one for all that follow. */
  #pieces: Pieces | undefined;
  /** Bytes that were read from the socket and wait for the next turn, from `#restAt` on. */
  #rest: Buffer | undefined;
  #restAt = 0;
  #held = false;
  #over = false;
  readonly #keepsBinary: boolean;

  /** `keepsBinary`: binary messages are heard with their bytes, and not with their length alone. */
  constructor(keepsBinary = false) {
    this.#keepsBinary = keepsBinary;
  }

  /** A text of well-formed UTF-8, which lies there during the call. */
  protected abstract heardText(bytes: Buffer, begin: number, end: number): void;
  /** `data`: where binary messages are kept; it lies there during the call. */
  protected abstract heardBinary(length: number, data: Buffer | undefined): void;
  /** The data lies there during the call. */
  protected abstract heardPing(data: Uint8Array): void;
  protected abstract heardPong(): void;
  /** The other side's close frame; 1005 when it names no code. */
  protected abstract heardClose(code: number, reason: string): void;
  /** What came breaks RFC 6455; nothing is read after it. `code`: what to close with. */
  protected abstract broke(code: number, why: string): void;

  /** Something that has come waits for `readOn`. */
  get behind(): boolean {
    return this.#rest !== undefined;
  }

  /** The first `length` bytes of `chunk`, which may be reused by the caller afterwards. */
  read(chunk: Buffer, length = chunk.length): void {
    if (this.#rest === undefined) {
      this.#turn(chunk, 0, length, false);
    } else {
      const bytes = Buffer.concat([this.#rest.subarray(this.#restAt), chunk.subarray(0, length)]);
      this.#rest = undefined;
      this.#turn(bytes, 0, bytes.length, true);
    }
  }

  /** One more turn with what waits. */
  readOn(): void {
    const rest = this.#rest;
    if (rest === undefined || this.#held) return;
    this.#rest = undefined;
    this.#turn(rest, this.#restAt, rest.length, true);
  }

  /** Hears nothing more until `release`; what comes meanwhile waits. */
  protected hold(): void {
    this.#held = true;
  }

  protected release(): void {
    this.#held = false;
  }

  /** The connection is over: nothing is heard any more, and no memory kept. */
  protected forget(): void {
    this.#over = true;
    this.#rest = undefined;
    this.#pieces?.message.release();
  }

  /** `own`: nobody reuses the bytes. */
  #turn(bytes: Buffer, from: number, limit: number, own: boolean): void {
    let at = from;
    for (let frames = 0; at < limit && !this.#over; frames++) {
      if (this.#held || frames === framesATurn) {
        this.#rest = own ? bytes : Buffer.from(bytes.subarray(at, limit));
        this.#restAt = own ? at : 0;
        return;
      }
      if (this.#missing > 0) at = this.#payload(bytes, at, limit);
      else if (this.#pieces !== undefined && this.#pieces.headBytes > 0) at = this.#restOfHead(bytes, at, limit);
      else at = this.#frame(bytes, at, limit);
    }
  }

  /** Reads the frame at `at`, or as much of it as has come; where that ends. */
  #frame(bytes: Buffer, at: number, limit: number): number {
    const begin = this.#head(bytes, at, limit);
    if (this.#over) return limit;
    if (begin === undefined) {
      const pieces = this.#unfinished();
      bytes.copy(pieces.head, 0, at, limit);
      pieces.headBytes = limit - at;
      return limit;
    }
    const end = begin + this.#length;
    if (end <= limit) this.#take(bytes, begin, end);
    else this.#begin(bytes, begin, limit);
    return Math.min(end, limit);
  }

  /** Where the payload of the frame at `at` begins; undefined when its head has not come whole. */
  #head(bytes: Buffer, at: number, limit: number): number | undefined {
    if (limit < at + 2) return undefined;
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    if (first & 0x70) return this.#break(1002, 'a reserved bit is set');
    if (second & 0x80) return this.#break(1002, 'a frame from the server is masked');
    const opcode = first & 0x0f;
    this.#opcode = opcode;
    this.#final = (first & 0x80) !== 0;
    if (opcode >= opcodes.close && (!this.#final || second > 125))
      return this.#break(1002, 'a control frame in parts, or above 125 bytes');
    let begin = at + 2;
    this.#length = second;
    if (second === 126) {
      if (limit < at + 4) return undefined;
      this.#length = bytes.readUInt16BE(at + 2);
      begin = at + 4;
    } else if (second === 127) {
      if (limit < at + 10) return undefined;
      this.#length = bytes.readUInt32BE(at + 2) * 0x1_0000_0000 + bytes.readUInt32BE(at + 6);
      begin = at + 10;
    }
    if (this.#length > mostMessageBytes)
      return this.#break(1009, `a frame of ${this.#length} bytes; at most ${mostMessageBytes}`);
    return begin;
  }

  /** A head that came in pieces goes on at `at`. */
  #restOfHead(bytes: Buffer, at: number, limit: number): number {
    const pieces = this.#pieces!;
    const had = pieces.headBytes;
    const copied = bytes.copy(pieces.head, had, at, Math.min(limit, at + pieces.head.length - had));
    pieces.headBytes = had + copied;
    const length = this.#head(pieces.head, 0, pieces.headBytes);
    if (this.#over || length === undefined) return limit;
    pieces.headBytes = 0;
    const begin = at + length - had;
    if (this.#length === 0) this.#take(bytes, begin, begin);
    else this.#begin(bytes, begin, begin);
    return begin;
  }

  /** A whole frame. */
  #take(bytes: Buffer, begin: number, end: number): void {
    if (this.#opcode === opcodes.text && this.#final && !this.#pieces?.opcode) this.#text(bytes, begin, end);
    else if (this.#opcode >= opcodes.close) this.#control(bytes.subarray(begin, end));
    else if (this.#beginsData() && this.#add(bytes, begin, end)) this.#endData();
  }

  /** A frame of which only the bytes up to `limit` have come. */
  #begin(bytes: Buffer, begin: number, limit: number): void {
    this.#missing = this.#length;
    if (this.#opcode >= opcodes.close || this.#beginsData()) this.#payload(bytes, begin, limit);
  }

  /** More of a frame's payload, from `at` on; where it ends. */
  #payload(bytes: Buffer, at: number, limit: number): number {
    const end = Math.min(limit, at + this.#missing);
    const pieces = this.#unfinished();
    if (this.#opcode >= opcodes.close) {
      const had = this.#length - this.#missing;
      bytes.copy(pieces.control, had, at, end);
      this.#missing -= end - at;
      if (this.#missing === 0) this.#control(pieces.control.subarray(0, this.#length));
    } else if (this.#add(bytes, at, end)) {
      this.#missing -= end - at;
      if (this.#missing === 0) this.#endData();
    }
    return end;
  }

  /** A frame of a message that does not come at once; false when it may not come here. */
  #beginsData(): boolean {
    const pieces = this.#unfinished();
    if (this.#opcode > opcodes.binary) return this.#break(1002, `opcode ${this.#opcode} is unknown`) ?? false;
    if ((this.#opcode === opcodes.continuation) !== (pieces.opcode !== 0))
      return this.#break(1002, 'a message begins within another, or goes on without one') ?? false;
    if (this.#opcode !== opcodes.continuation) pieces.opcode = this.#opcode;
    pieces.message.fragments += 1;
    if (pieces.message.fragments > mostFragments)
      return this.#break(1009, `a message of more than ${mostFragments} fragments`) ?? false;
    if (pieces.length + this.#length > mostMessageBytes)
      return this.#break(1009, `a message of more than ${mostMessageBytes} bytes`) ?? false;
    return true;
  }

  /** Keeps the bytes of a text, and of a binary message that says nothing to us, the length. */
  #add(bytes: Buffer, begin: number, end: number): boolean {
    const pieces = this.#pieces!;
    pieces.length += end - begin;
    if (pieces.opcode === opcodes.binary && !this.#keepsBinary) return true;
    if (pieces.message.add(bytes, begin, end)) return true;
    return this.#break(1009, 'too many long messages have come in parts, on all connections together') ?? false;
  }

  #endData(): void {
    if (!this.#final) return;
    const pieces = this.#pieces!;
    const { opcode, length } = pieces;
    const message = pieces.message.take();
    pieces.opcode = 0;
    pieces.length = 0;
    if (opcode === opcodes.text) this.#text(message, 0, message.length);
    else this.heardBinary(length, this.#keepsBinary ? message : undefined);
  }

  #text(bytes: Buffer, begin: number, end: number): void {
    if (isUtf8(bytes.subarray(begin, end))) this.heardText(bytes, begin, end);
    else this.#break(1007, 'a text is not UTF-8');
  }

  #control(payload: Buffer): void {
    if (this.#opcode === opcodes.ping) this.heardPing(payload);
    else if (this.#opcode === opcodes.pong) this.heardPong();
    else if (this.#opcode === opcodes.close) this.#close(payload);
    else this.#break(1002, `opcode ${this.#opcode} is unknown`);
  }

  #close(payload: Buffer): void {
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    if (payload.length === 1 || (payload.length > 1 && !isCloseCode(code)))
      return void this.#break(1002, `it closes with ${payload.length === 1 ? 'half a code' : `the code ${code}`}`);
    const reason = payload.subarray(2);
    if (!isUtf8(reason)) return void this.#break(1007, 'the reason of its close is not UTF-8');
    this.forget();
    this.heardClose(code, reason.toString('utf8'));
  }

  #unfinished(): Pieces {
    this.#pieces ??= {
      opcode: 0,
      length: 0,
      message: new MessageAssembly(),
      head: Buffer.alloc(longestHead),
      headBytes: 0,
      control: Buffer.alloc(125),
    };
    return this.#pieces;
  }

  #break(code: number, why: string): undefined {
    this.forget();
    this.broke(code, why);
    return undefined;
  }
}

/** What has come of messages and frames that have not come whole. */
type Pieces = {
  /** What the message is that has begun; 0 when none has. */
  opcode: number;
  /** Bytes of it. */
  length: number;
  message: MessageAssembly;
  head: Buffer;
  headBytes: number;
  control: Buffer;
};

/** Two bytes, and eight of length: a server's frames are not masked. */
const longestHead = 10;

/**
 * Frames that one connection is read in one turn of the event loop. Two seconds of a busy session
 * are fewer, and 700 sessions that are all flooded still leave each turn well below a second.
 */
const framesATurn = 64;

/** What may stand in a close frame (RFC 6455, section 7.4, and the registry of IANA). */
function isCloseCode(code: number): boolean {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
}
