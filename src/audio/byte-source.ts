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

/** Opens a path or wraps a buffer. Errors: `audio_not_found`, `audio_unreadable`. */
export function openBytes(source: string | Buffer): ByteSource {
  return typeof source === 'string' ? openFile(source) : wrapBuffer(source);
}

function wrapBuffer(bytes: Buffer): ByteSource {
  return {
    name: 'the audio',
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
    close() {},
  };
}

function openFile(path: string): ByteSource {
  const descriptor = attempt(path, () => openSync(path, 'r'));
  const status = fstatSync(descriptor);
  if (!status.isFile()) {
    closeSync(descriptor);
    throw new SpeechfbError('audio_unreadable', `"${path}" is ${status.isDirectory() ? 'a folder' : 'not a file'}`, {
      hint: 'give the path of a WAV file',
    });
  }
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
