import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { SpeechfbError } from '../../errors.ts';
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
};

/**
 * Takes changed files up while a server runs: each second that they have changed, and when it is
 * told to look. What cannot be used changes nothing, and the log says why.
 */
export class Reloads {
  readonly #log: Pick<Log, 'info' | 'error'>;
  readonly #files: Reloaded[] = [];
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(log: Pick<Log, 'info' | 'error'>) {
    this.#log = log;
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
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    for (const { paths } of this.#files.splice(0)) for (const path of paths) unwatchFile(path);
  }

  #look(file: Reloaded): void {
    const fields = { files: file.paths.join(', ') };
    try {
      const texts = file.paths.map((path) => readFileSync(path, 'utf8'));
      if (texts.every((text, index) => text === file.texts[index])) return;
      // What was refused once is refused aloud once.
      file.texts = texts;
      file.take(texts);
      this.#log.info(fields, `took up the changed ${file.what}`);
    } catch (error) {
      const problems = error instanceof SpeechfbError ? error.problems.map(sentenceOf) : [];
      const sentence = [(error as Error).message, ...problems].join('; ');
      this.#log.error({ ...fields, error: sentence }, `the changed ${file.what} cannot be used: the old stays`);
    }
  }
}

function sentenceOf({ where, message }: { where?: string; message: string }): string {
  return where === undefined ? message : `${where}: ${message}`;
}

const lookMs = 1000;
