import { SpeechfbError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import { looksLike } from './sniff.ts';
import { convert, readWavFormat, type WavFormat } from './wav-format.ts';

/** Bytes [offset, offset + bytes) of a file. */
type ByteRange = { offset: number; bytes: number };

export type WavHeader = WavFormat & {
  /** Where the samples are, one range a "data" chunk. */
  data: readonly ByteRange[];
  /** Sample instants in the file. */
  length: number;
};

/**
 * Reads the RIFF chunks around the samples; nothing of the samples is read. Unknown chunks are
 * skipped, with their pad byte or without it where a writer forgot it. Sizes that a writer to a
 * pipe could not go back to fill in (all ones, or 0 with sound behind it) mean: to the end of the
 * file. Errors: `empty_audio`, `not_wav`, `bad_wav`, `unsupported_wav`, `truncated_audio`.
 */
export function readWavHeader(source: ByteSource): WavHeader {
  const { name, size } = source;
  if (size === 0) throw new SpeechfbError('empty_audio', `${name} is empty (0 bytes)`, again);
  const riff = Buffer.from(source.read(0, 64));
  if (!riffs.includes(ascii(riff, 0)) || ascii(riff, 8) !== 'WAVE') throw notWav(name, riff);
  let format: WavFormat | undefined;
  let longBytes: number | undefined;
  const data: ByteRange[] = [];
  for (const chunk of chunksOf(source, 12)) {
    if (chunk.id === 'ds64') longBytes = Number(source.read(chunk.offset, 16).readBigUInt64LE(8));
    if (chunk.id === 'fmt ' && chunk.offset + chunk.bytes <= size)
      format ??= readWavFormat(name, Buffer.from(source.read(chunk.offset, Math.min(chunk.bytes, 40))));
    if (chunk.id !== 'data') continue;
    if (!format) throw new SpeechfbError('bad_wav', `${name} has samples but no "fmt " chunk before them`, convert);
    const range = dataRange(source, format, chunk, longBytes);
    if (range.bytes > 0) data.push(range);
    if (range.offset + range.bytes >= size) break;
  }
  if (!format)
    throw new SpeechfbError('truncated_audio', `${name} ends after ${size} bytes, before any samples`, recopy);
  const bytes = data.reduce((sum, range) => sum + range.bytes, 0);
  const length = Math.floor(bytes / format.blockBytes);
  if (length === 0) throw new SpeechfbError('empty_audio', `${name} holds no samples`, again);
  return { ...format, data, length };
}

type Chunk = { id: string } & ByteRange;

/** 64-bit files (EBU Tech 3306) have a "ds64" chunk with the sizes that 32 bits cannot hold. */
const riffs = ['RIFF', 'RF64', 'BW64'];
const again = { hint: 'record it again' };
const recopy = { hint: 'copy or record it again; to use what is there: sox --ignore-length INPUT OUTPUT.wav' };
/**
 * Sizes from here on stand for "unknown": writers to a pipe leave 0xFFFFFFFF, 0x7FFFFFFF or a
 * little less.
 */
const unknownFrom = 0x7fff0000;

/**
 * The chunks from `offset` on; ends before bytes that are no chunk. A "data" chunk is given
 * whatever its size.
 */
function* chunksOf(source: ByteSource, offset: number): Generator<Chunk> {
  for (let at = offset; ; ) {
    const chunk = chunkAt(source, at);
    if (chunk === undefined) return;
    yield chunk;
    const end = chunk.offset + chunk.bytes;
    const isOdd = (chunk.bytes & 1) === 1;
    at = isOdd && (chunkAt(source, end + 1) !== undefined || chunkAt(source, end) === undefined) ? end + 1 : end;
  }
}

/**
 * The chunk whose header lies at `at`, if one does: four printable characters and a size that the
 * file has room for.
 */
function chunkAt(source: ByteSource, at: number): Chunk | undefined {
  if (at + 8 > source.size) return undefined;
  const head = source.read(at, 8);
  const id = ascii(head, 0);
  const bytes = head.readUInt32LE(4);
  const fits = id === 'data' || at + 8 + bytes <= source.size;
  return /^[\x20-\x7e]{4}$/.test(id) && fits ? { id, offset: at + 8, bytes } : undefined;
}

/** Where the samples of a "data" chunk really are. */
function dataRange(source: ByteSource, format: WavFormat, chunk: Chunk, longBytes: number | undefined): ByteRange {
  const { offset } = chunk;
  const there = source.size - offset;
  const bytes = chunk.bytes === 0xffffffff && longBytes ? longBytes : chunk.bytes;
  if (bytes >= unknownFrom && bytes > there && longBytes === undefined) return { offset, bytes: there };
  if (bytes === 0 && there > 0 && !endsInChunks(source, offset)) return { offset, bytes: there };
  if (bytes <= there) return { offset, bytes };
  const seconds = (count: number) =>
    `${(Math.floor(count / format.blockBytes) / format.sampleRateHz).toFixed(2)} s (${count} bytes)`;
  throw new SpeechfbError(
    'truncated_audio',
    `${source.name} is cut: its header promises ${seconds(bytes)}, ${seconds(there)} are there`,
    recopy,
  );
}

/**
 * Whether everything from `offset` to the end is chunks, so that a "data" chunk of size 0 before it
 * is really empty.
 */
function endsInChunks(source: ByteSource, offset: number): boolean {
  let end = offset;
  for (const chunk of chunksOf(source, offset)) end = chunk.offset + chunk.bytes;
  return end > offset && source.size - end <= 1;
}

function notWav(name: string, start: Buffer): SpeechfbError {
  return new SpeechfbError('not_wav', `${name} is not a WAV file: it looks like ${looksLike(start)}`, convert);
}

function ascii(bytes: Buffer, offset: number): string {
  return bytes.toString('latin1', offset, offset + 4);
}
