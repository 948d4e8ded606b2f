import { opcodes } from './websocket-writer.ts';

/**
 * Reads the frames that a server sends (RFC 6455, section 5) from bytes cut anywhere. No
 * extensions. To be extended by who wants to hear of them: one object a connection, as each that is
 * touched on the way of a message is a wait for memory.
 */
export abstract class WsReader {
  /** Bytes of a frame that has not come whole. */
  #rest: Buffer | undefined;
  /** Parts of a fragmented message, and its opcode. */
  #parts: Buffer[] | undefined;
  #opcode = 0;
  #over = false;

  /** A text, which lies there during the call. That it is UTF-8 its reader has to see. */
  protected abstract heardText(bytes: Buffer, begin: number, end: number): void;
  protected abstract heardBinary(bytes: number): void;
  protected abstract heardPing(data: Uint8Array): void;
  protected abstract heardPong(): void;
  /** The other side's close frame; 1005 when it names no code. */
  protected abstract heardClose(code: number, reason: string): void;
  /** What came breaks RFC 6455; nothing is read after it. `code`: what to close with. */
  protected abstract broke(code: number, why: string): void;

  /** The first `length` bytes of `chunk`, which may be reused by the caller afterwards. */
  read(chunk: Buffer, length = chunk.length): void {
    const whole = this.#rest === undefined;
    const bytes = whole ? chunk : Buffer.concat([this.#rest!, chunk.subarray(0, length)]);
    const limit = whole ? length : bytes.length;
    let at = 0;
    while (at < limit && !this.#over) {
      const end = this.#frame(bytes, at, limit);
      if (end === undefined) break;
      at = end;
    }
    this.#rest = at < limit && !this.#over ? Buffer.from(bytes.subarray(at, limit)) : undefined;
  }

  /** Reads the frame at `at`; where it ends, or undefined when it has not come whole by `limit`. */
  #frame(bytes: Buffer, at: number, limit: number): number | undefined {
    if (limit < at + 2) return undefined;
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    if (first & 0x70) return this.#break(1002, 'a reserved bit is set');
    if (second & 0x80) return this.#break(1002, 'a frame from the server is masked');
    let length = second;
    let begin = at + 2;
    if (second === 126) {
      if (limit < at + 4) return undefined;
      length = bytes.readUInt16BE(at + 2);
      begin = at + 4;
    } else if (second === 127) {
      if (limit < at + 10) return undefined;
      length = bytes.readUInt32BE(at + 2) * 0x1_0000_0000 + bytes.readUInt32BE(at + 6);
      begin = at + 10;
    }
    if (length > maxBytes) return this.#break(1009, `a frame of ${length} bytes; at most ${maxBytes}`);
    const end = begin + length;
    if (limit < end) return undefined;
    this.#take(first & 0x0f, (first & 0x80) !== 0, bytes, begin, end);
    return end;
  }

  #take(opcode: number, whole: boolean, bytes: Buffer, begin: number, end: number): void {
    if (opcode === opcodes.text && whole && this.#opcode === 0) this.heardText(bytes, begin, end);
    else if (opcode >= opcodes.close) this.#control(opcode, whole, bytes.subarray(begin, end));
    else this.#fragment(opcode, whole, bytes.subarray(begin, end));
  }

  #fragment(opcode: number, whole: boolean, payload: Buffer): void {
    if (opcode > opcodes.binary) return void this.#break(1002, `opcode ${opcode} is unknown`);
    if ((opcode === opcodes.continuation) !== (this.#opcode !== 0)) {
      return void this.#break(1002, 'a message begins within another, or goes on without one');
    }
    if (opcode !== opcodes.continuation) this.#opcode = opcode;
    this.#parts ??= [];
    this.#parts.push(Buffer.from(payload));
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0);
    if (length > maxBytes) return void this.#break(1009, `a message of more than ${maxBytes} bytes`);
    if (!whole) return;
    const message = Buffer.concat(this.#parts);
    const isText = this.#opcode === opcodes.text;
    this.#parts = undefined;
    this.#opcode = 0;
    if (isText) this.heardText(message, 0, message.length);
    else this.heardBinary(message.length);
  }

  #control(opcode: number, whole: boolean, payload: Buffer): void {
    if (!whole || payload.length > 125) return void this.#break(1002, 'a control frame in parts, or above 125 bytes');
    if (opcode === opcodes.ping) this.heardPing(payload);
    else if (opcode === opcodes.pong) this.heardPong();
    else if (opcode === opcodes.close) {
      this.#over = true;
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.heardClose(code, payload.toString('utf8', 2));
    } else this.#break(1002, `opcode ${opcode} is unknown`);
  }

  #break(code: number, why: string): undefined {
    this.#over = true;
    this.broke(code, why);
    return undefined;
  }
}

/** As much as the ws library takes by default would be 100 MiB; no event of ours is near this. */
const maxBytes = 8 * 1024 * 1024;
