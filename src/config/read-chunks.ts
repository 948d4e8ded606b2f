import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { SpeechfbError } from '../errors.ts';

/** A small text file whole. Throws `unreadable_file`, also for one that is too large to be what it is said to be. */
export function readText(file: string, what: string): string {
  try {
    const { size } = statSync(file);
    if (size > largestText)
      throw new Error(`it has ${(size / 1e6).toFixed(0)} MB; at most ${largestText / 1e6} MB are read`);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, what, cause);
  }
}

/** A file of any size as pieces of text; gunzipped when its name ends in `.gz`. Throws `unreadable_file`. */
export async function* readChunks(file: string, what: string): AsyncGenerator<string> {
  try {
    if (!statSync(file).isFile()) throw new Error('it is not a file');
    const bytes = createReadStream(file, { highWaterMark: 1 << 20 });
    const plain = file.endsWith('.gz') ? bytes.pipe(createGunzip({ chunkSize: 1 << 20 })) : bytes;
    if (plain !== bytes) bytes.on('error', (error) => plain.destroy(error));
    const decoder = new TextDecoder();
    for await (const chunk of plain) yield decoder.decode(chunk as Buffer, { stream: true });
    yield decoder.decode();
  } catch (cause) {
    throw unreadable(file, what, cause);
  }
}

const largestText = 16_000_000;

/** The first of `candidates` that exists. */
export function firstExisting(candidates: readonly string[]): string | undefined {
  return candidates.find((candidate) => existsSync(candidate));
}

function unreadable(file: string, what: string, cause: unknown): SpeechfbError {
  const { message, code } = cause as NodeJS.ErrnoException;
  const reason = code === 'Z_BUF_ERROR' ? 'its gzip stream ends early: the file is truncated' : message;
  return new SpeechfbError('unreadable_file', `cannot read the ${what} "${file}": ${reason}`, { cause });
}
