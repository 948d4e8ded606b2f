import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { SpeechfbError } from '../errors.ts';
import { fileTrouble } from '../file-trouble.ts';
import { type AuditEntry, type AuditFields, type AuditHead, genesis, nextEntry, readEntry } from './entry.ts';
import { auditLines } from './lines.ts';
import { FileLock } from './lock.ts';
import { type AuditReport, verifyAudit } from './verify.ts';

/**
 * The audit log that this process writes, alone. `append` resolves when the entry is on the disk;
 * whoever acts before that acts unaudited.
 */
export class AuditLog {
  readonly file: string;
  /** What a crash had left unfinished at the end, and was cut off. */
  readonly healed: AuditReport['torn'];
  readonly #handle: FileHandle;
  readonly #lock: FileLock;
  readonly #inode: bigint;
  #head: AuditHead;
  #sizeBytes: number;
  /** A write has failed: what it left behind must go before the next. */
  #isSoiled = false;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Takes up the log where it ends, or begins one. A last line that a crash left unfinished is cut
   * off, which the first entry says; a log that was changed is not written on.
   * @throws SpeechfbError `audit_broken`, `audit_in_use`, `audit_unwritable`
   */
  static async open(file: string): Promise<AuditLog> {
    checkKind(file);
    const lock = await FileLock.take(`${file}.lock`);
    try {
      return await AuditLog.#opened(file, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  static async #opened(file: string, lock: FileLock): Promise<AuditLog> {
    const report = existsSync(file) ? await verifyAudit(file) : undefined;
    if (report?.broken) throw brokenLog(file, report.broken);
    let handle: FileHandle | undefined;
    try {
      handle = await open(file, 'a+', 0o600);
      const torn = report?.torn && (await cutTail(handle, report));
      const { ino } = await handle.stat({ bigint: true });
      const log = new AuditLog({ file, lock, handle, ino, report });
      if (torn) await log.append(healing(torn, report.torn!));
      return log;
    } catch (cause) {
      await handle?.close();
      throw cause instanceof SpeechfbError ? cause : unwritable(file, cause);
    }
  }

  private constructor({ file, lock, handle, ino, report }: Opened) {
    this.file = file;
    this.healed = report?.torn;
    this.#lock = lock;
    this.#handle = handle;
    this.#inode = ino;
    this.#head = report?.head ?? genesis;
    this.#sizeBytes = report?.sizeBytes ?? 0;
  }

  /** The last entry; `seq` is 0 while there is none. */
  get head(): AuditHead {
    return this.#head;
  }

  /**
   * Writes an entry and waits until the disk has it; entries keep the order of the calls.
   * @throws SpeechfbError `audit_unwritable`: nothing was written, and nothing must be done
   */
  append(fields: AuditFields): Promise<AuditEntry> {
    const written = this.#last.then(() => this.#write(fields));
    this.#last = written.catch(() => {});
    return written;
  }

  /** Entries behind `since`, the oldest first, `limit` of them at most. */
  async entries(since: number, limit: number): Promise<AuditEntry[]> {
    const found: AuditEntry[] = [];
    const { seq: last } = this.#head;
    if (since >= last) return found;
    for await (const { number, text, isWhole } of auditLines(this.file)) {
      // Line n is entry n; what is being written is not read.
      if (number > last || found.length >= limit) break;
      if (number <= since || text === undefined || !isWhole) continue;
      const entry = readEntry(text);
      if (typeof entry === 'string') throw brokenLog(this.file, { line: number, message: entry });
      found.push(entry);
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#handle.close();
    await this.#lock.release();
  }

  async #write(fields: AuditFields): Promise<AuditEntry> {
    const { entry, line } = nextEntry(fields, this.#head, new Date());
    const bytes = Buffer.from(`${line}\n`);
    try {
      if (this.#isSoiled) await this.#clean();
      await this.#checkUntouched();
      this.#isSoiled = true;
      await this.#handle.appendFile(bytes);
      await this.#handle.datasync();
      this.#isSoiled = false;
    } catch (cause) {
      if (this.#isSoiled) await this.#clean().catch(() => {});
      throw cause instanceof SpeechfbError ? cause : unwritable(this.file, cause);
    }
    this.#sizeBytes += bytes.length;
    this.#head = { seq: entry.seq, hash: entry.hash };
    return entry;
  }

  async #clean(): Promise<void> {
    await this.#handle.truncate(this.#sizeBytes);
    await this.#handle.datasync();
    this.#isSoiled = false;
  }

  /** Whether the file is still the one that was opened, and as long as it was left. */
  async #checkUntouched(): Promise<void> {
    const there = await open(this.file, 'r');
    try {
      const { ino, size } = await there.stat({ bigint: true });
      if (ino === this.#inode && size === BigInt(this.#sizeBytes)) return;
    } finally {
      await there.close();
    }
    const message = `the audit log ${this.file} was changed by somebody else while it was open`;
    throw new SpeechfbError('audit_broken', message, { hint: 'speechfb audit verify FILE says where; then restart' });
  }
}

/** A device is read without end, and a pipe until somebody writes. */
function checkKind(file: string): void {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== false) return;
  } catch (cause) {
    throw unwritable(file, cause);
  }
  throw unwritable(file, new Error('it is no file, but a folder, a device or a pipe'));
}

type Opened = {
  file: string;
  lock: FileLock;
  handle: FileHandle;
  ino: bigint;
  report: AuditReport | undefined;
};

/** Cuts off what is behind the whole entries; gives its digest. */
async function cutTail(handle: FileHandle, { sizeBytes, torn }: AuditReport): Promise<string> {
  const tail = Buffer.alloc(torn!.bytes);
  await handle.read(tail, 0, tail.length, sizeBytes);
  await handle.truncate(sizeBytes);
  await handle.datasync();
  return createHash('sha256').update(tail).digest('hex');
}

function healing(sha256: string, { line, bytes }: NonNullable<AuditReport['torn']>): AuditFields {
  return {
    actor: 'speechfb',
    action: 'audit.heal',
    target: `line ${line}`,
    diff: { cut_off: { bytes, sha256 } },
    reason: 'a crash left the last line unfinished; what it was to tell of was not done',
  };
}

function brokenLog(file: string, { line, message }: { line: number; message: string }): SpeechfbError {
  return new SpeechfbError('audit_broken', `${file}:${line}: ${message}`, {
    hint: 'nothing is written behind a log that was changed: keep it for whoever looks into it, and name another file',
  });
}

function unwritable(file: string, cause: unknown): SpeechfbError {
  return new SpeechfbError('audit_unwritable', `the audit log ${file} cannot be written: ${fileTrouble(cause)}`, {
    hint: 'nothing is done that cannot be written down: make room, or see to its rights',
    cause,
  });
}
