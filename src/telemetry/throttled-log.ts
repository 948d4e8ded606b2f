import type { Log, LogFields } from './log.ts';

/**
 * A log that says the same message once in `everyMs` at most, and once of each tenant, whatever
 * strangers do: what they may cause at will must fill no disk, and no tenant hides another. What
 * was left unsaid is counted and said later, as `suppressed`.
 */
export class ThrottledLog implements Log {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #said = new Map<string, Said>();

  /** @param now monotonic, ms. */
  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** Is not throttled: what the server tells of itself is rare. */
  info(fields: LogFields, message: string): void {
    this.#log.info(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#say('warn', fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#say('error', fields, message);
  }

  /** Says what was left unsaid for `everyMs`; to be called now and then. */
  flush(): void {
    const nowMs = this.#now();
    for (const [key, said] of this.#said) {
      if (nowMs - said.atMs < everyMs) continue;
      this.#said.delete(key);
      // The last of them is said after all.
      if (said.last) this.#write(said.last, said.suppressed - 1);
    }
  }

  #say(level: Line['level'], fields: LogFields, message: string): void {
    const line = { level, fields, message };
    const nowMs = this.#now();
    const own = fields.tenant === undefined ? message : `${message} ${fields.tenant}`;
    const key = this.#said.has(own) || this.#said.size < maxMessages ? own : overflow;
    const before = this.#said.get(key);
    if (before && nowMs - before.atMs < everyMs) {
      before.suppressed += 1;
      before.last = line;
      return;
    }
    this.#write(line, before?.suppressed ?? 0);
    this.#said.set(key, { atMs: nowMs, suppressed: 0, last: undefined });
  }

  #write({ level, fields, message }: Line, suppressed: number): void {
    this.#log[level](suppressed > 0 ? { ...fields, suppressed } : fields, message);
  }
}

type Line = { level: 'warn' | 'error'; fields: LogFields; message: string };

type Said = { atMs: number; suppressed: number; last: Line | undefined };

const everyMs = 1000;
/** Messages are texts of ours, some dozens; memory stays bounded were one made of foreign text. */
const maxMessages = 64;
/** Stands for all messages beyond so many. */
const overflow = '';
