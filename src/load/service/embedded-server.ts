import { type ChildProcess, spawn } from 'node:child_process';
import { type Readable, Writable } from 'node:stream';
import { SpeechfbError } from '../../errors.ts';
import { giveWay } from '../../threads/give-way.ts';
import type { ReplicaSignal } from '../fault/definition/definition.ts';
import { clockFd, steppingClockFlags } from './clock-pipe.ts';
import { Guard } from './guard.ts';
import { readServerUpdate, type ServerUpdate } from './server-updates.ts';

/** A server in a process of its own, so that it shares no thread with the load generator. */
export type EmbeddedServer = {
  url: string;
  pid: number;
  /** Resolves when the process is gone: its exit code, or null after a signal. */
  exited: Promise<number | null>;
  /** Drains it with SIGTERM; kills it when that takes longer than `patienceMs`. */
  stop(): Promise<void>;
  /**
   * Signals it: SIGTERM asks the process to drain and SIGUSR2 to err, the others are for all of
   * its processes. False when it is gone.
   */
  signal(signal: ReplicaSignal): boolean;
  /** Steps the wall clock that it sees, ms; false when it is gone, or sees the machine's own. */
  stepClock(ms: number): boolean;
};

/** How to run `speechfb serve --port 0`, without a shell. */
export type ServeCommand = {
  file: string;
  args: readonly string[];
  /** The file is Node, and what it runs is to see a wall clock that can be stepped. */
  hasSteppingClock?: boolean;
  /** Other parts of a service run beside it, and all of them give way to whoever measures. */
  isOneOfSeveral?: boolean;
};

export type StartOptions = {
  /** Aborted: a server that is not ready yet is killed, and the start fails. */
  signal?: AbortSignal;
  /** How long it has to get ready; default a minute. */
  startupMs?: number;
  /** Hears what it writes on stderr. */
  onLog?: (bytes: Uint8Array) => void;
};

/** The descriptor of the pipe in the server: behind stdin, stdout and stderr. */
const parentFd = 3;
const patienceMs = 15_000;
/**
 * A third of a shared core, where whoever sends and measures gets the rest: its clock is to be
 * right, and it needs little. Beside the eight sessions of a service (autogroups of sched(7)) it
 * would be one of nine. A server alone shares as it would with anybody.
 */
const toWhoMeasures = 5;

/**
 * Starts the server, tells it to end when this process does, and waits until it says where it
 * listens. Error: `server_failed`, with the server's own error or its last words.
 */
export async function startEmbedded(command: ServeCommand, options: StartOptions = {}): Promise<EmbeddedServer> {
  const { file, hasSteppingClock = false } = command;
  const clock = hasSteppingClock ? steppingClockFlags() : [];
  const args = [...clock, ...command.args, '--parent-fd', String(parentFd)];
  const pipes = Array<'pipe'>(hasSteppingClock ? 3 : 2).fill('pipe');
  // A group of its own: a server of several processes stands still, or is killed, as a whole.
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', ...pipes], detached: true });
  if (command.isOneOfSeveral) giveWay(child.pid, toWhoMeasures);
  child.stdio[clockFd]?.on('error', () => {});
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => resolve(null));
  });
  return new ServerProcess(await listening(child, exited, options), child, exited);
}

class ServerProcess implements EmbeddedServer {
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  /** Present while it is stopped, and cannot end by itself. */
  #guard: Guard | undefined;

  constructor(url: string, child: ChildProcess, exited: Promise<number | null>) {
    this.url = url;
    this.pid = child.pid!;
    this.exited = exited;
    this.#child = child;
    exited.then(() => this.#endGuard());
  }

  async stop(): Promise<void> {
    if (!this.#isThere) return;
    this.signal('SIGTERM');
    // A stopped process hears SIGTERM only when it goes on.
    this.signal('SIGCONT');
    const timer = setTimeout(() => this.signal('SIGKILL'), patienceMs);
    await this.exited;
    clearTimeout(timer);
  }

  signal(signal: ReplicaSignal): boolean {
    if (!this.#isThere) return false;
    if (signal === 'SIGSTOP') this.#guard ??= new Guard(this.pid);
    try {
      process.kill(signal === 'SIGTERM' || signal === 'SIGUSR2' ? this.pid : -this.pid, signal);
    } catch {
      return false;
    }
    if (signal === 'SIGCONT') this.#endGuard();
    return true;
  }

  stepClock(ms: number): boolean {
    const pipe = this.#child.stdio[clockFd];
    if (!this.#isThere || !(pipe instanceof Writable)) return false;
    pipe.write(`${ms}\n`);
    return true;
  }

  get #isThere(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #endGuard(): void {
    this.#guard?.release();
    this.#guard = undefined;
  }
}

/** Waits for the server's first update; resolves with its URL. */
async function listening(
  child: ChildProcess,
  exited: Promise<number | null>,
  { signal, startupMs = 60_000, onLog }: StartOptions,
): Promise<string> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-8192);
    onLog?.(chunk);
  });
  // `close`: all that it said has been read.
  const closed = new Promise<undefined>((resolve) => child.once('close', () => resolve(undefined)));
  const gone = exited.then(() => (child.pid === undefined ? undefined : closed));
  let giveUp = () => {};
  const gaveUp = new Promise<undefined>((resolve) => {
    giveUp = () => resolve(undefined);
  });
  const timer = setTimeout(giveUp, startupMs);
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();
  const update = await Promise.race([firstUpdate(child.stdio[parentFd] as Readable | undefined), gone, gaveUp]);
  clearTimeout(timer);
  signal?.removeEventListener('abort', giveUp);
  if (update?.type === 'ready') return update.url;
  child.kill('SIGKILL');
  throw failed(update, said);
}

function firstUpdate(pipe: Readable | undefined): Promise<ServerUpdate | undefined> {
  return new Promise((resolve) => {
    let text = '';
    pipe?.on('data', (chunk: Buffer) => {
      text += chunk;
      const update = readServerUpdate(text);
      if (update) resolve(update);
    });
    // The pipe of a process that was killed may end with an error.
    pipe?.on('error', () => {});
  });
}

function failed(update: Extract<ServerUpdate, { type: 'failed' }> | undefined, said: string): SpeechfbError {
  const why = update?.error.message ?? (said.trim().split('\n').slice(-5).join('\n') || 'it said nothing');
  return new SpeechfbError('server_failed', `the embedded server did not start: ${why}`, {
    problems: update?.error.problems ?? [],
    hint: update?.error.hint ?? 'run speechfb serve by itself to see all of its output',
  });
}
