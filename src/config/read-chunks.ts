import { closeSync, createReadStream, existsSync, openSync, readSync, statSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SpeechfbError } from '../errors.ts';

/**
 * A small text file whole; `-` is standard input, as often as it is asked for. Throws `unreadable_file`, also for one that is
 * too large to be what it is said to be, or no UTF-8; `hint` says where one comes from.
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

/** Reads no further than it must to see that it is too much: a device, or a pipe, may have no end. */
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
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new Error('it is UTF-16; save it as UTF-8');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const line = bytes.toString().split('\ufffd', 1)[0]!.split('\n').length;
    throw new Error(`it is not UTF-8: line ${line} has other bytes; save it as UTF-8`);
  }
}

/**
 * A file of any size as pieces of text, gunzipped when it begins as gzip does, whatever its name. `-` is standard input; a pipe
 * is read too. Throws `unreadable_file`.
 */
export async function* readChunks(file: string, what: string): AsyncGenerator<string> {
  try {
    if (file !== '-' && statSync(file).isDirectory()) throw new Error('it is a directory');
    const bytes = createReadStream(file, { highWaterMark: 1 << 20, ...(file === '-' ? { fd: 0 } : {}) });
    const decoder = new TextDecoder();
    for await (const chunk of gunzipped(bytes)) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (cause) {
    throw unreadable(file, what, cause);
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

/** What came in, kept: it comes but once. */
let standardInput: string | undefined;

/** The first of `candidates` that exists. */
export function firstExisting(candidates: readonly string[]): string | undefined {
  return candidates.find((candidate) => existsSync(candidate));
}

/** Why a file of that kind cannot be read, in a sentence that names it once; `hint` says where one comes from. */
export function unreadable(file: string, what: string, cause: unknown, hint?: string): SpeechfbError {
  const { message, code } = cause as NodeJS.ErrnoException;
  const sentences: Record<string, string> = {
    Z_BUF_ERROR: 'its gzip stream ends early: the file is truncated',
    EISDIR: 'it is a directory',
  };
  const reason = sentences[code ?? ''] ?? message.replace(/, (open|stat|read)( '.*')?$/, '');
  return new SpeechfbError('unreadable_file', `cannot read the ${what} "${file}": ${reason}`, {
    ...(hint && { hint }),
    cause,
  });
}
