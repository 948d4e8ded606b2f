import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Kills a group of processes, or removes a directory, when this process is gone, whatever ended it:
 * for those that cannot see that by themselves, because they are stopped or are not ours. The guard
 * is in a session of its own, where neither Ctrl-C nor the end of our group reaches it, heeds no
 * signal that can be heeded, and is replaced when it is killed.
 */
export class Guard {
  /** What it runs then. */
  readonly #command: readonly string[];
  #process: ChildProcess | undefined;
  #isReleased = false;
  #startsLeft = mostStarts;

  /** `what`: the process id of the group's leader, or the directory. */
  constructor(what: number | { directory: string }) {
    this.#command = typeof what === 'number' ? ['kill', '-s', 'KILL', '--', `-${what}`] : ['rm', '-rf', what.directory];
    this.#start();
  }

  /** It may outlive this process again, or is gone. */
  release(): void {
    this.#isReleased = true;
    this.#process?.kill('SIGKILL');
  }

  #start(): void {
    this.#startsLeft -= 1;
    const script = `trap '' HUP INT QUIT TERM; read -r _; "$@"`;
    const guard = spawn('/bin/sh', ['-c', script, 'guard', ...this.#command], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#process = guard;
    guard.on('error', () => {});
    guard.stdin.on('error', () => {});
    guard.once('exit', () => {
      if (!this.#isReleased && this.#startsLeft > 0) this.#start();
    });
    guard.unref();
  }
}

/** A shell that cannot run is not started again without end. */
const mostStarts = 20;
