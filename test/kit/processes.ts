import { readFileSync } from 'node:fs';

/** The processes that `pid` started and that have not ended, from /proc. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** Whether the process is there and has not ended: one that nobody has waited for is a zombie, not alive. */
export function isAlive(pid: number): boolean {
  return !['gone', 'Z', 'X'].includes(stateOf(pid));
}

/** The state of a process in the letter of /proc (T: stopped), or `gone`. */
export function stateOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.charAt(0);
  } catch {
    return 'gone';
  }
}
