import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { AuditLog } from '../../audit/log.ts';
import { SpeechfbError } from '../../errors.ts';
import { fileTrouble } from '../../file-trouble.ts';
import type { Log } from '../../telemetry/log.ts';

/** Files that are read anew while a server runs. */
type Reloaded = {
  /** What they are, as a sentence names them. */
  what: string;
  paths: readonly string[];
  /** What they held when they were taken up, or refused. */
  texts: readonly string[];
  /** Takes the texts up, or throws SpeechfbError and leaves everything as it was. */
  take(texts: readonly string[]): void;
  /** Where operators audit what changes: what it is called there, and what would be different. */
  audited?: {
    action: string;
    target: string;
    /** Undefined: what the texts hold is in force. Throws as `take` does; has no secrets. */
    diff(texts: readonly string[]): object | undefined;
  };
};

/**
 * Takes changed files up while a server runs: each second that they have changed, and when it is
 * told to look. What cannot be used changes nothing, and the log says why; so it is with what is
 * audited and cannot be written down, which is tried again.
 */
export class Reloads {
  readonly #log: Pick<Log, 'info' | 'error'>;
  readonly #files: Reloaded[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #audit: Pick<AuditLog, 'append'> | undefined;
  #isClosed = false;

  constructor(log: Pick<Log, 'info' | 'error'>, audit?: Pick<AuditLog, 'append'>) {
    this.#log = log;
    this.#audit = audit;
  }

  add(reloaded: Reloaded): void {
    const file = { ...reloaded };
    this.#files.push(file);
    // By name, not by inode: secrets of Kubernetes are links that are swapped.
    for (const path of file.paths) watchFile(path, { interval: lookMs, persistent: false }, () => this.#look(file));
    this.#look(file);
  }

  /** Looks at every file now. */
  now(): void {
    for (const file of this.#files) this.#look(file);
  }

  /** Calls it as often as it looks at files, until it is closed. */
  eachLook(look: () => void): void {
    this.#timers.push(setInterval(look, lookMs).unref());
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    for (const { paths } of this.#files.splice(0)) for (const path of paths) unwatchFile(path);
  }

  #look(file: Reloaded): void {
    try {
      const texts = file.paths.map(readText);
      if (texts.every((text, index) => text === file.texts[index])) return;
      // What was refused once is refused aloud once.
      file.texts = texts;
      if (file.audited && this.#audit) void this.#takeAudited(file, texts, { ...file.audited, audit: this.#audit });
      else this.#take(file, texts);
    } catch (error) {
      this.#refused(file, error);
    }
  }

  #take(file: Reloaded, texts: readonly string[]): void {
    file.take(texts);
    this.#log.info({ files: file.paths.join(', ') }, `took up the changed ${file.what}`);
  }

  /** Takes the texts up once they are written down, and later if they cannot be. */
  async #takeAudited(file: Reloaded, texts: readonly string[], { audit, action, target, diff }: Audited) {
    try {
      const changes = diff(texts);
      if (!changes) return;
      const reason = `${file.paths.join(', ')} has changed`;
      await audit.append({ actor: 'file', action, target, diff: changes, reason });
      if (!this.#isClosed) this.#take(file, texts);
    } catch (error) {
      this.#refused(file, error);
      if (!isUnaudited(error) || this.#isClosed || file.texts !== texts) return;
      this.#timers.push(setTimeout(() => this.#retry(file, texts), retryMs).unref());
    }
  }

  #retry(file: Reloaded, refused: readonly string[]): void {
    if (file.texts === refused) file.texts = [];
    this.#look(file);
  }

  #refused({ what, paths }: Reloaded, error: unknown): void {
    const problems = error instanceof SpeechfbError ? error.problems.map(sentenceOf) : [];
    const sentence = [(error as Error).message, ...problems].join('; ');
    const fields = { files: paths.join(', '), error: sentence };
    this.#log.error(fields, `the changed ${what} cannot be used: the old stays`);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SpeechfbError('unreadable_file', `cannot read ${path}: ${fileTrouble(cause)}`, { cause });
  }
}

type Audited = NonNullable<Reloaded['audited']> & { audit: Pick<AuditLog, 'append'> };

function isUnaudited(error: unknown): boolean {
  return error instanceof SpeechfbError && error.code.startsWith('audit_');
}

function sentenceOf({ where, message }: { where?: string; message: string }): string {
  return where === undefined ? message : `${where}: ${message}`;
}

const lookMs = 1000;
/** After how long what could not be written down is tried again. */
const retryMs = 10_000;
