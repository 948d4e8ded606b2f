import { readFileSync } from 'node:fs';

/** How often npm is looked for, ms. */
const everyMs = 250;

/**
 * Calls `gone` once when the `npx` or `npm run` that started this program has died: a kill that no
 * process can catch reaches npm alone, which leaves its shell, and this program, behind. Returns
 * what stops the watch. Only Linux tells who the parent of a parent is; a program that npm did not
 * start is not watched.
 */
export function watchNpm(gone: () => void): () => void {
  const npm = npmAbove();
  if (npm === undefined) return () => undefined;
  const timer = setInterval(() => {
    if (statOf(npm.pid)?.startTime === npm.startTime) return;
    clearInterval(timer);
    gone();
  }, everyMs).unref();
  return () => clearInterval(timer);
}

type Process = { pid: number; parent: number; startTime: string };

/**
 * The nearest npm among the parents of this process, through the shells that it starts commands
 * with.
 */
function npmAbove(): Process | undefined {
  if (process.env.npm_command === undefined) return undefined;
  let pid = process.ppid;
  for (let steps = 0; steps < 4 && pid > 1; steps++) {
    const found = statOf(pid);
    if (found === undefined) return undefined;
    if (/^npm (?:exec|run)|\bnp[mx](?:-cli\.js)?\0/.test(commandOf(pid))) return found;
    pid = found.parent;
  }
  return undefined;
}

/**
 * A process by /proc (proc(5)); a number is given again to another process, its start time is not.
 */
function statOf(pid: number): Process | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : { pid, parent: Number(fields[1]), startTime: fields[19]! };
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
