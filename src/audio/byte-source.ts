import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { SpeechfbError } from '../errors.ts';

/** Bytes at offsets: a file that is never read whole, or a buffer. */
export type ByteSource = {
  /** How messages name it. */
  name: string;
  size: number;
  /** The bytes from `offset`; fewer than `length` at the end. Valid until the next call. */
  read(offset: number, length: number): Buffer;
  close(): void;
};

/**
 * Opens a path, `-` (the standard input) or wraps a buffer. Errors: `audio_not_found`,
 * `audio_unreadable`, `audio_too_long`.
 */
export function openBytes(source: string | Buffer): ByteSource {
  if (typeof source !== 'string') return wrapBuffer('the audio', source);
  return source === '-' ? openPipe('the standard input', 0) : openFile(source);
}

function wrapBuffer(name: string, bytes: Buffer): ByteSource {
  return {
    name,
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
    close() {},
  };
}

function openFile(path: string): ByteSource {
  const descriptor = attempt(path, () => openSync(path, 'r'));
  const status = fstatSync(descriptor);
  if (status.isDirectory()) {
    closeSync(descriptor);
    throw new SpeechfbError('audio_unreadable', `"${path}" is a folder`, { hint: 'give the path of a WAV file' });
  }
  if (!status.isFile()) return openPipe(`"${path}"`, descriptor);
  let block = Buffer.alloc(0);
  return {
    name: `"${path}"`,
    size: status.size,
    read(offset, length) {
      if (block.length < length) block = Buffer.allocUnsafe(length);
      return block.subarray(
        0,
        attempt(path, () => readSync(descriptor, block, 0, length, offset)),
      );
    },
    close: () => closeSync(descriptor),
  };
}

/** More than an hour of stereo at 48 kHz and 24 bits. */
const mostPipedBytes = 1 << 30;

/** A pipe has no offsets and perhaps no end: it is read whole, up to a bound. */
function openPipe(name: string, descriptor: number): ByteSource {
  const pieces: Buffer[] = [];
  try {
    for (let size = 0; ; ) {
      const piece = Buffer.allocUnsafe(1 << 16);
      const length = attempt(name.replaceAll('"', ''), () => readPiece(descriptor, piece));
      if (length === 0) break;
      size += length;
      if (size > mostPipedBytes) {
        throw new SpeechfbError('audio_too_long', `${name} has more than ${mostPipedBytes >> 20} MiB`, {
          hint: 'write it to a file, or cut it into pieces',
        });
      }
      pieces.push(piece.subarray(0, length));
    }
  } finally {
    if (descriptor !== 0) closeSync(descriptor);
  }
  return wrapBuffer(name, Buffer.concat(pieces));
}

/** Reads what is there; a terminal or socket that has nothing yet is asked again. */
function readPiece(descriptor: number, piece: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, piece);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new SpeechfbError('audio_not_found', `there is no file "${path}"`, { hint: 'check the path', cause });
    }
    throw new SpeechfbError('audio_unreadable', `"${path}" cannot be read (${code})`, {
      hint: 'check its permissions',
      cause,
    });
  }
}
