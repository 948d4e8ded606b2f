import { createReadStream } from 'node:fs';
import { unreadable } from '../config/read-chunks.ts';

/** One line of a file. */
export type FileLine = {
  /** From 1. */
  number: number;
  /** Without its line break; undefined: no UTF-8, or longer than is kept. */
  text: string | undefined;
  /** With its line break. */
  bytes: number;
  /** Whether it ends with a line break. */
  isWhole: boolean;
};

/**
 * The lines of a file of any size, by their bytes: an unfinished last one is told apart.
 * @throws SpeechfbError `unreadable_file`
 */
export async function* auditLines(file: string): AsyncGenerator<FileLine> {
  let number = 0;
  let bytes = 0;
  let kept: Buffer[] = [];
  const keep = (piece: Buffer): void => {
    bytes += piece.length;
    if (bytes <= mostKeptBytes) kept.push(piece);
  };
  const take = (isWhole: boolean): FileLine => {
    number += 1;
    const text = bytes > mostKeptBytes ? undefined : decoded(Buffer.concat(kept).subarray(0, isWhole ? -1 : undefined));
    const line = { number, text, bytes, isWhole };
    bytes = 0;
    kept = [];
    return line;
  };
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        keep(chunk.subarray(from, at + 1));
        from = at + 1;
        yield take(true);
      }
      if (from < chunk.length) keep(chunk.subarray(from));
    }
  } catch (cause) {
    throw unreadable(file, 'audit log', cause, 'serve --admin-listen HOST:PORT --audit-log FILE writes one');
  }
  if (bytes > 0) yield take(false);
}

function decoded(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Longer than any entry. */
const mostKeptBytes = 1_000_000;
