import { SpeechfbError } from '../../errors.ts';
import { fileTrouble } from '../../file-trouble.ts';
import type { ShadowRecord } from '../../shadow/record.ts';
import type { Log } from '../../telemetry/log.ts';
import { LineLog } from '../line-log.ts';

/** Appends records to a file, within bounds while the disk is full; nobody waits for it. */
export class ShadowLog {
  readonly #lines: LineLog;

  /** @throws SpeechfbError `output_unwritable` */
  constructor(path: string, log: Pick<Log, 'error'>) {
    try {
      this.#lines = new LineLog({
        ...{ path, beginning: '{"v":1,', mostLines },
        onTrouble: (why, waiting) => log.error({ why, waiting }, 'the shadow log cannot be written; its records wait'),
        onLost: (records) => log.error({ records }, 'records of the shadow log were lost'),
      });
    } catch (cause) {
      const message = `the shadow log ${path} cannot be written: ${fileTrouble(cause)}`;
      throw new SpeechfbError('output_unwritable', message, { cause });
    }
  }

  readonly keep = (record: ShadowRecord): void => this.#lines.add(JSON.stringify(record));

  /** Resolves when what was kept is in the file, or cannot be. */
  close(): Promise<void> {
    return this.#lines.close();
  }
}

/** Records that wait while the disk is full: a few megabytes. */
const mostLines = 10_000;
