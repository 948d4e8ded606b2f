import type { ProblemList } from '../../budget/traces/lines.ts';
import type { OtlpReader } from '../../budget/traces/otlp.ts';
import { decodeOtlpTraces } from '../../budget/traces/otlp-proto.ts';
import { SpeechfbError } from '../../errors.ts';
import { whole } from '../../format.ts';

/**
 * Reads OTLP's binary encoding as the OpenTelemetry Collector's file exporter writes it with
 * `format: proto`: before each message its length, four bytes, the highest first. Bytes come in
 * pieces of any size. What is wrong is a problem at `file:byte N`, counted from 1, where its
 * message begins.
 */
export class OtlpMessages {
  readonly #file: string;
  readonly #reader: OtlpReader;
  readonly #problems: ProblemList;
  #pieces: Buffer[] = [];
  #held = 0;
  /** What must be there before anything can be read on. */
  #needed = lengthBytes;
  #readBytes = 0;
  #messages = 0;

  constructor(file: string, reader: OtlpReader, problems: ProblemList) {
    this.#file = file;
    this.#reader = reader;
    this.#problems = problems;
  }

  /** Throws `bad_traces` where what stands there can be no message. */
  push(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    if (this.#held < this.#needed) return;
    let rest: Buffer = Buffer.concat(this.#pieces);
    while (rest.length >= this.#needed) rest = this.#take(rest);
    this.#pieces = [rest];
    this.#held = rest.length;
  }

  /** What is left is a message that nobody wrote to its end. */
  end(): void {
    if (this.#held === 0) return;
    const missing = `${whole(this.#needed - this.#held)} of its bytes are missing`;
    this.#problems.add({ where: this.#place(), message: `the file ends within a message: ${missing}` });
  }

  /** Reads a message if it is all there; gives what stands behind it. */
  #take(bytes: Buffer): Buffer {
    const size = lengthBytes + bytes.readUInt32BE(0);
    if (size > largestMessage) this.#refuse(`it says that a message has ${whole(size)} bytes`);
    this.#needed = size;
    if (bytes.length < size) return bytes;
    this.#read(bytes.subarray(lengthBytes, size));
    this.#readBytes += size;
    this.#needed = lengthBytes;
    return bytes.subarray(size);
  }

  #read(message: Buffer): void {
    if (message.length >= 4 && message.readUInt32LE(0) === zstandard)
      this.#refuse('its messages are compressed (zstd)');
    this.#messages++;
    const where = this.#place();
    let document: object;
    try {
      document = decodeOtlpTraces(message);
    } catch {
      this.#problems.add({ where, message: 'is no message of OTLP traces' });
      return;
    }
    // A message without a list has no spans, which is nothing wrong.
    this.#reader.add({ resourceSpans: [], ...document }, this.#messages, () => where);
  }

  #refuse(why: string): never {
    const hint = "write it with the Collector's file exporter, format json or proto, without compression";
    throw new SpeechfbError('bad_traces', `${this.#place()}: ${why}; OTLP traces cannot be read of it`, { hint });
  }

  #place(): string {
    return `${this.#file}:byte ${this.#readBytes + 1}`;
  }
}

const lengthBytes = 4;
/** As large as a document of text may be. */
const largestMessage = 400_000_000;
const zstandard = 0xfd2fb528;
