import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Guard } from './guard.ts';

/** Files that a service which a test has started reads, until it is over; only we may read them. */
export class ServiceDirectory {
  #directory: string | undefined;
  /** There are keys in it. */
  #guard: Guard | undefined;

  /** Where the file of that name is. */
  path(name: string): string {
    this.#directory ??= mkdtempSync(join(tmpdir(), 'speechfb-service-'));
    this.#guard ??= new Guard({ directory: this.#directory });
    return join(this.#directory, name);
  }

  /** Writes the whole file at once for those who look at it meanwhile. */
  write(name: string, text: string): void {
    writeFileSync(this.path(`${name}.new`), text, { mode: 0o600 });
    renameSync(this.path(`${name}.new`), this.path(name));
  }

  remove(): void {
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = undefined;
    this.#guard?.release();
    this.#guard = undefined;
  }
}
