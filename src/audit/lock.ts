import { open, readFile, unlink } from 'node:fs/promises';
import { SpeechfbError } from '../errors.ts';
import { fileTrouble } from '../file-trouble.ts';

/**
 * A file that is there while a process of this machine writes another; it names that process, so
 * that one which died with it in hand keeps nobody out.
 */
export class FileLock {
  readonly #file: string;

  /** @throws SpeechfbError `audit_in_use`, `audit_unwritable` */
  static async take(file: string): Promise<FileLock> {
    for (let tries = 0; tries < 2; tries += 1) {
      if (await created(file)) return new FileLock(file);
      const owner = Number(await readFile(file, 'utf8').catch(() => ''));
      if (isAlive(owner)) {
        throw new SpeechfbError('audit_in_use', `process ${owner} writes this audit log: ${file} is there`, {
          hint: 'each server needs an --audit-log of its own; --gateways N share one by themselves',
        });
      }
      await unlink(file).catch(() => {});
    }
    throw new SpeechfbError('audit_in_use', `another process takes ${file} at the same time`);
  }

  private constructor(file: string) {
    this.#file = file;
  }

  async release(): Promise<void> {
    held.delete(this.#file);
    await unlink(this.#file).catch(() => {});
  }
}

/** The locks of this process: a restart in a container has the number of the one before. */
const held = new Set<string>();

async function created(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(String(process.pid));
    await handle.close();
    held.add(file);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      if (held.has(file))
        throw new SpeechfbError('audit_in_use', `this process writes the audit log of ${file} already`);
      return false;
    }
    const message = `the audit log cannot be locked with ${file}: ${fileTrouble(cause)}`;
    throw new SpeechfbError('audit_unwritable', message, { cause });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
