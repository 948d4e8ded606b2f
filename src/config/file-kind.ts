import { type Stats, statSync } from 'node:fs';

/** Whether there is something at the path that is no directory: a file, a pipe, a device. */
export function isFile(path: string): boolean {
  return statusOf(path)?.isDirectory() === false;
}

export function isDirectory(path: string): boolean {
  return statusOf(path)?.isDirectory() === true;
}

/** A path that is no path (too long, NUL in it, a loop of links) leads nowhere. */
function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
