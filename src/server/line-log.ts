import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fileTrouble } from '../file-trouble.ts';

export type LineLogOptions = {
  path: string;
  /** How each of its lines begins: an unfinished last one that does so is what a crash left. */
  beginning: string;
  /** Lines that wait while it cannot be written: more are lost. */
  mostLines: number;
  /** It cannot be written, said once until it can; so many lines wait. */
  onTrouble(why: string, waiting: number): void;
  /** It can be written again, and so many lines were lost meanwhile. */
  onLost(lines: number): void;
  /** Opens it for appending and reading; of the file system unless a test gives another. */
  open?: ((path: string) => Promise<LineFile>) | undefined;
};

export type LineFile = Pick<FileHandle, 'write' | 'read' | 'stat' | 'truncate' | 'close'>;

/**
 * Lines that are appended to a file without anybody waiting for it, those of several processes
 * among one another. Each is there once and whole, also after a disk that was full in the middle of
 * one; while it cannot be written they wait, within bounds.
 */
export class LineLog {
  readonly #options: LineLogOptions;
  #lines: string[] = [];
  #lost = 0;
  #writing: Promise<void> | undefined;
  #isAway = false;

  /** @throws what the file system says of a file that cannot be appended to */
  constructor(options: LineLogOptions) {
    this.#options = options;
    endWhole(options);
  }

  /** Takes a line, which has no line break of its own. */
  add(line: string): void {
    if (this.#lines.length < this.#options.mostLines) this.#lines.push(`${line}\n`);
    else this.#lost += 1;
    this.#writing ??= this.#write();
  }

  /** Resolves when what was added is in the file, or cannot be. */
  async close(): Promise<void> {
    while (this.#writing) await this.#writing;
    if (this.#lines.length > 0) await this.#write();
  }

  async #write(): Promise<void> {
    const { onTrouble, onLost } = this.#options;
    let trouble: string | undefined;
    while (this.#lines.length > 0 && trouble === undefined) {
      const { whole, why } = await this.#append(this.#lines);
      this.#lines.splice(0, whole);
      trouble = why;
    }
    if (trouble === undefined && this.#lost > 0) {
      onLost(this.#lost);
      this.#lost = 0;
    }
    if (trouble !== undefined && !this.#isAway) onTrouble(trouble, this.#lines.length);
    this.#isAway = trouble !== undefined;
    this.#writing = undefined;
  }

  /** Appends lines in one call; how many are there whole, and why not all of them. */
  async #append(lines: readonly string[]): Promise<{ whole: number; why?: string | undefined }> {
    const bytes = Buffer.from(lines.join(''));
    let done = 0;
    let why: string | undefined;
    let file: LineFile | undefined;
    try {
      file = await (this.#options.open ?? openFile)(this.#options.path);
      while (done < bytes.length) done += (await file.write(bytes, done)).bytesWritten;
    } catch (error) {
      why = fileTrouble(error);
    }
    const there = bytes.subarray(0, done);
    const end = there.lastIndexOf(lineBreak) + 1;
    if (file && end < done) await takeBack(file, there.subarray(end)).catch(() => {});
    await file?.close().catch(() => {});
    return { whole: countOf(there, lineBreak), why };
  }
}

const lineBreak = 10;

function openFile(path: string): Promise<FileHandle> {
  return open(path, 'a+');
}

/** Takes back the beginning of a line, unless another process has written behind it. */
async function takeBack(file: LineFile, begun: Uint8Array): Promise<void> {
  const { size } = await file.stat();
  const from = size - begun.length;
  const { buffer } = await file.read(Buffer.alloc(begun.length), 0, begun.length, from);
  if (from >= 0 && Buffer.compare(buffer, begun) === 0) await file.truncate(from);
}

/**
 * Sees to it that the next line begins at its own beginning: takes away a line of this log that a
 * crash left unfinished, and ends any other.
 */
function endWhole({ path, beginning }: LineLogOptions): void {
  const file = openSync(path, 'a+');
  try {
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.size === 0) return;
    const tail = Buffer.alloc(Math.min(stat.size, longestTail));
    readSync(file, tail, 0, tail.length, stat.size - tail.length);
    const begun = tail.subarray(tail.lastIndexOf(lineBreak) + 1);
    if (begun.length === 0) return;
    if (begun.subarray(0, beginning.length).toString() === beginning) ftruncateSync(file, stat.size - begun.length);
    else writeSync(file, '\n');
  } finally {
    closeSync(file);
  }
}

/** Longer than any line. */
const longestTail = 65_536;

function countOf(bytes: Uint8Array, one: number): number {
  let count = 0;
  for (const byte of bytes) if (byte === one) count += 1;
  return count;
}
