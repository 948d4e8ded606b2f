import { closeSync } from 'node:fs';
import { exitCodes } from '../errors.ts';
import { watchNpm } from './npm-parent.ts';

/**
 * What asks a command to end early: Ctrl-C, a cluster or CI service, and the terminal when it
 * closes.
 */
export const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does `work` with a signal that the first stop signal aborts, so that it ends early with what it
 * has. The second one ends the program at once, with 130. The death of the `npx` that started the
 * program is one too.
 */
export async function interruptible<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const stop = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => {
    if (signal === 'SIGHUP') process.once('exit', forgetTerminal);
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    stop.abort();
  };
  for (const signal of stopSignals) process.on(signal, interrupt);
  const unwatch = watchNpm(() => interrupt('SIGHUP'));
  try {
    return await work(stop.signal);
  } finally {
    unwatch();
    for (const signal of stopSignals) process.off(signal, interrupt);
  }
}

/**
 * At its end Node gives a terminal its old settings back, and aborts where the terminal is gone by
 * then.
 */
function forgetTerminal(): void {
  for (const fd of [0, 1, 2]) {
    try {
      closeSync(fd);
    } catch {
      // Closed already.
    }
  }
}
