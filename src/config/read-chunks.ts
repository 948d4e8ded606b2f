import { closeSync, createReadStream, existsSync, openSync, readSync, statSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SpeechfbError } from '../errors.ts';
import { fileTrouble } from '../file-trouble.ts';

/**
 * A small text file whole; `-` is standard input, as often as it is asked for. Throws
 * `unreadable_file`, also for one that is too large to be what it is said to be, or no UTF-8;
 * `hint` says where one comes from.
 */
export function readText(file: string, what: string, hint?: string): string {
  try {
    if (file !== '-') return readUtf8(file);
    standardInput ??= readUtf8(0);
    return standardInput;
  } catch (cause) {
    throw unreadable(file, what, cause, hint);
  }
}

/**
 * Reads no further than it must to see that it is too much: a device, or a pipe, may have no end.
 */
function readUtf8(file: string | number): string {
  const from = typeof file === 'string' ? openSync(file, 'r') : file;
  try {
    const pieces: Buffer[] = [];
    for (let size = 0; ; ) {
      const piece = Buffer.alloc(1 << 16);
      const length = readSync(from, piece);
      if (length === 0) return decoded(Buffer.concat(pieces));
      size += length;
      if (size > largestText) throw new Error(`it has more than the ${largestText / 1e6} MB that are read`);
      pieces.push(piece.subarray(0, length));
    }
  } finally {
    if (from !== file) closeSync(from);
  }
}

function decoded(bytes: Buffer): string {
  const decoder = new Utf8Decoder();
  return decoder.push(bytes) + decoder.end();
}

/**
 * Bytes to text; a byte order mark is passed over, anything but UTF-8 is an error that names the
 * line.
 */
class Utf8Decoder {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #line = 1;
  #isFirst = true;

  push(bytes: Buffer): string {
    if (this.#isFirst) refuseUtf16(bytes);
    this.#isFirst = false;
    return this.#decode(bytes, () => this.#decoder.decode(bytes, { stream: true }));
  }

  /** What is left: an error when the text ends within a character. */
  end(): string {
    return this.#decode(Buffer.alloc(0), () => this.#decoder.decode());
  }

  #decode(bytes: Buffer, decode: () => string): string {
    try {
      const text = decode();
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) this.#line++;
      return text;
    } catch {
      const line = this.#line + bytes.toString().split('\ufffd', 1)[0]!.split('\n').length - 1;
      throw new Error(`it is not UTF-8: line ${line} has other bytes; save it as UTF-8`);
    }
  }
}

/** UTF-16 has a byte order mark, or a zero beside each of the first letters. */
function refuseUtf16(bytes: Buffer): void {
  const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0;
  const zeros = bytes.length >= 4 && ((bytes[0] === 0 && bytes[2] === 0) || (bytes[1] === 0 && bytes[3] === 0));
  if (mark === 0xfffe || mark === 0xfeff || zeros) throw new Error('it is UTF-16; save it as UTF-8');
}

/**
 * A file of any size as pieces of text, gunzipped when it begins as gzip does, whatever its name.
 * `-` is standard input; a pipe is read too. Throws `unreadable_file`.
 */
export async function* readChunks(file: string, what: string): AsyncGenerator<string> {
  yield* textChunks(readBytes(file, what), file, what);
}

/** The same as the bytes that stand in it, gunzipped. Throws `unreadable_file`. */
export async function* readBytes(file: string, what: string): AsyncGenerator<Buffer> {
  try {
    if (file !== '-' && statSync(file).isDirectory()) throw new Error('it is a directory');
    yield* gunzipped(createReadStream(file, { highWaterMark: 1 << 20, ...(file === '-' ? { fd: 0 } : {}) }));
  } catch (cause) {
    throw unreadable(file, what, cause);
  }
}

/** Bytes that `readBytes` read, as text. Throws `unreadable_file` where they are no UTF-8. */
export async function* textChunks(bytes: AsyncIterable<Buffer>, file: string, what: string): AsyncGenerator<string> {
  try {
    const decoder = new Utf8Decoder();
    for await (const piece of bytes) yield decoder.push(piece);
    yield decoder.end();
  } catch (cause) {
    throw cause instanceof SpeechfbError ? cause : unreadable(file, what, cause);
  }
}

async function* gunzipped(bytes: Readable): AsyncGenerator<Buffer> {
  const pieces = bytes[Symbol.asyncIterator]();
  const first = await pieces.next();
  if (first.done) return;
  const whole = async function* () {
    yield first.value;
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value;
  };
  if (!(first.value[0] === 0x1f && first.value[1] === 0x8b)) yield* whole();
  // An error on the way reaches the reader as the stream's own.
  else yield* pipeline(Readable.from(whole()), createGunzip({ chunkSize: 1 << 20 }), () => undefined);
}

const largestText = 16_000_000;

/** Standard input, kept because it can be read only once. */
let standardInput: string | undefined;

/** The first of `candidates` that exists. */
export function firstExisting(candidates: readonly string[]): string | undefined {
  return candidates.find((candidate) => existsSync(candidate));
}

/**
 * Why a file of that kind cannot be read, in a sentence that names it once; `hint` says where one
 * comes from.
 */
export function unreadable(file: string, what: string, cause: unknown, hint?: string): SpeechfbError {
  return new SpeechfbError('unreadable_file', `cannot read the ${what} "${file}": ${fileTrouble(cause)}`, {
    ...(hint && { hint }),
    cause,
  });
}
