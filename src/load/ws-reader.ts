import { opcodes } from './ws-writer.ts';

export type WsReaderEvents = {
  text(text: string): void;
  binary(bytes: number): void;
  ping(data: Uint8Array): void;
  pong(): void;
  /** The other side's close frame; 1005 when it names no code. */
  close(code: number, reason: string): void;
  /** What came breaks RFC 6455; nothing is read after it. `code`: what to close with. */
  broken(code: number, why: string): void;
};

/** Reads the frames that a server sends (RFC 6455, section 5) from bytes cut anywhere. No extensions. */
export class WsReader {
  readonly #events: WsReaderEvents;
  /** Bytes of a frame that has not come whole. */
  #rest: Buffer | undefined;
  /** Parts of a fragmented message, and its opcode. */
  #parts: Buffer[] = [];
  #opcode = 0;
  #over = false;

  constructor(events: WsReaderEvents) {
    this.#events = events;
  }

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
    if (opcode === opcodes.text && whole && this.#opcode === 0) this.#text(bytes, begin, end);
    else if (opcode >= opcodes.close) this.#control(opcode, whole, bytes.subarray(begin, end));
    else this.#fragment(opcode, whole, bytes.subarray(begin, end));
  }

  #text(bytes: Buffer, begin: number, end: number): void {
    const text = bytes.toString('utf8', begin, end);
    // Ill-formed UTF-8 leaves this mark, which our JSON never has; looking for it in ASCII costs nothing.
    if (text.includes('\ufffd')) this.#break(1007, 'a text is not UTF-8');
    else this.#events.text(text);
  }

  #fragment(opcode: number, whole: boolean, payload: Buffer): void {
    if (opcode > opcodes.binary) return void this.#break(1002, `opcode ${opcode} is unknown`);
    if ((opcode === opcodes.continuation) !== (this.#opcode !== 0)) {
      return void this.#break(1002, 'a message begins within another, or goes on without one');
    }
    if (opcode !== opcodes.continuation) this.#opcode = opcode;
    this.#parts.push(Buffer.from(payload));
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0);
    if (length > maxBytes) return void this.#break(1009, `a message of more than ${maxBytes} bytes`);
    if (!whole) return;
    const message = Buffer.concat(this.#parts);
    const isText = this.#opcode === opcodes.text;
    this.#parts = [];
    this.#opcode = 0;
    if (isText) this.#text(message, 0, message.length);
    else this.#events.binary(message.length);
  }

  #control(opcode: number, whole: boolean, payload: Buffer): void {
    if (!whole || payload.length > 125) return void this.#break(1002, 'a control frame in parts, or above 125 bytes');
    if (opcode === opcodes.ping) this.#events.ping(payload);
    else if (opcode === opcodes.pong) this.#events.pong();
    else if (opcode === opcodes.close) {
      this.#over = true;
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.#events.close(code, payload.toString('utf8', 2));
    } else this.#break(1002, `opcode ${opcode} is unknown`);
  }

  #break(code: number, why: string): undefined {
    this.#over = true;
    this.#events.broken(code, why);
    return undefined;
  }
}

/** As much as the ws library takes by default would be 100 MiB; no event of ours is near this. */
const maxBytes = 8 * 1024 * 1024;
