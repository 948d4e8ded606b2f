import { isatty } from 'node:tty';
import { type ExitCode, exitCodes } from '../../errors.ts';
import { defer } from '../../threads/defer.ts';
import { stopSignals } from '../interruption.ts';

export type Signals = { first: Promise<void>; second: Promise<void>; came(): boolean; stop(): void };

/**
 * Listens for the signals that stop the server; the others no longer end it. `embedded`: a load
 * test started it. SIGHUP stops a server whose terminal is gone; where there never was one it tells
 * it to read its files anew.
 */
export function listenForSignals(embedded: boolean, onReload: () => void): Signals {
  const first = defer<void>();
  const second = defer<void>();
  let count = 0;
  const onSignal = (): void => {
    count += 1;
    (count === 1 ? first : second).resolve();
  };
  const ignore = (): void => {};
  const unheeded = (signal: string): (() => void) => (signal === 'SIGHUP' ? onReload : ignore);
  const heeded = embedded ? ['SIGTERM'] : stopSignals.filter((signal) => signal !== 'SIGHUP' || hasTerminal());
  const listeners = stopSignals.map(
    (signal) => [signal, heeded.includes(signal) ? onSignal : unheeded(signal)] as const,
  );
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return {
    first: first.promise,
    second: second.promise,
    came: () => count > 0,
    stop() {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    },
  };
}

/**
 * What a drain ends with: a pass once it is done and told, or interrupted at the second signal.
 */
export async function drainedUnless<Report>(
  { second }: Pick<Signals, 'second'>,
  drain: Promise<Report>,
  tell: (report: Report) => void,
): Promise<ExitCode> {
  const drained = drain.then((report) => {
    tell(report);
    return exitCodes.pass;
  });
  return await Promise.race([drained, second.then(() => exitCodes.interrupted)]);
}

/**
 * Without a terminal (nohup, a daemon) nothing hangs up; Node forgets that nohup had SIGHUP
 * ignored.
 */
function hasTerminal(): boolean {
  return [0, 1, 2].some((fd) => isatty(fd));
}
