import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory and its parents. Node's own `recursive` never returns where the system answers
 * ENOENT below a parent that exists, as /proc does. Throws what mkdir throws.
 */
export function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  mkdirSync(path);
}

/**
 * What would keep a directory from being made and written to, as far as can be seen before;
 * undefined: nothing.
 */
export function whyUnwritable(path: string): string | undefined {
  if (!existsSync(path)) return whyUnwritable(dirname(resolve(path)));
  if (!statSync(path).isDirectory()) return `"${path}" is no directory`;
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return undefined;
  } catch {
    return `nothing may be written in "${path}"`;
  }
}
