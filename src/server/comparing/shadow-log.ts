import { appendFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { SpeechfbError } from '../../errors.ts';
import type { ShadowRecord } from '../../shadow/record.ts';
import type { Log } from '../../telemetry/log.ts';

/**
 * Appends records to a file, whole lines at a time so that those of several processes do not mix.
 * While the disk is full they wait, within bounds; nobody waits for them.
 */
export class ShadowLog {
  readonly #file: string;
  readonly #log: Pick<Log, 'error'>;
  #lines: string[] = [];
  #lost = 0;
  #writing: Promise<void> | undefined;
  #isAway = false;

  /** @throws SpeechfbError `output_unwritable` */
  constructor(file: string, log: Pick<Log, 'error'>) {
    this.#file = file;
    this.#log = log;
    try {
      appendFileSync(file, '');
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new SpeechfbError('output_unwritable', `the shadow log ${file} cannot be written: ${code}`, { cause });
    }
  }

  readonly keep = (record: ShadowRecord): void => {
    if (this.#lines.length < mostLines) this.#lines.push(`${JSON.stringify(record)}\n`);
    else this.#lost += 1;
    this.#writing ??= this.#write();
  };

  /** Resolves when what was kept is in the file, or cannot be. */
  async close(): Promise<void> {
    while (this.#writing) await this.#writing;
    if (this.#lines.length > 0) await this.#write();
  }

  async #write(): Promise<void> {
    let written = 0;
    try {
      while (this.#lines.length > written) {
        const count = this.#lines.length;
        await appendFile(this.#file, this.#lines.slice(written, count).join(''));
        written = count;
      }
      if (this.#lost > 0) this.#log.error({ records: this.#lost }, 'records of the shadow log were lost');
      this.#lost = 0;
      this.#isAway = false;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#isAway) this.#log.error({ why }, 'the shadow log cannot be written; its records wait');
      this.#isAway = true;
    }
    this.#lines = this.#lines.slice(written);
    this.#writing = undefined;
  }
}

/** Records that wait while the disk is full: a few megabytes. */
const mostLines = 10_000;
