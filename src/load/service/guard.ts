import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Kills a group of processes when this process is gone, whatever ended it: for those that cannot
 * see that by themselves, because they are stopped or are not ours. The guard is in a session of
 * its own, where neither Ctrl-C nor the end of our group reaches it, heeds no signal that can be
 * heeded, and is replaced when it is killed.
 */
export class Guard {
  readonly #group: number;
  #process: ChildProcess | undefined;
  #isReleased = false;
  #startsLeft = mostStarts;

  /** `group`: the process id of its leader. */
  constructor(group: number) {
    this.#group = group;
    this.#start();
  }

  /** The group may outlive this process again, or is gone. */
  release(): void {
    this.#isReleased = true;
    this.#process?.kill('SIGKILL');
  }

  #start(): void {
    this.#startsLeft -= 1;
    const script = `trap '' HUP INT QUIT TERM; read -r _; kill -s KILL -- -${this.#group}`;
    const guard = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
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
