import { type ChildProcess, fork } from 'node:child_process';
import type { LinkTransport } from '../../client/link/quic-way.ts';
import { type GeneratorResult, lostResult, mergeResults } from '../../results/merge-results.ts';
import { workerUrl } from '../../threads/worker-url.ts';
import { partition } from '../plan/shard-split.ts';
import type { GeneratorHooks, GeneratorTask } from './generator.ts';

/** Messages from a generator's process, and to it. */
export type FromGenerator =
  | { type: 'ready' }
  | { type: 'stopping' }
  | { type: 'progress'; progress: Parameters<GeneratorHooks['onProgress']>[0] }
  | { type: 'result'; result: GeneratorResult };
export type ToGenerator =
  | { type: 'task'; task: GeneratorTask }
  | { type: 'start'; startAtEpochMs: number }
  | { type: 'stop' };

export type GeneratorsHooks = GeneratorHooks & {
  /** All generators are ready: the plan's 0 is then, ms since 1970. */
  onStart?(startAtEpochMs: number): void;
};

/**
 * Runs the task in `count` processes, each with its share of the learners and one timer, which
 * begin at one time; what they measured is merged. Processes, not threads: each has a heap, a
 * garbage collector and a CPU clock of its own, and one that dies takes only its own learners with
 * it. Its result then says so, and makes the run invalid.
 */
export async function runGenerators(
  task: GeneratorTask,
  hooks: GeneratorsHooks,
  count: number,
): Promise<GeneratorResult> {
  const generators = splitTask(task, count).map((share) => new Generator(share, hooks.onProgress));
  const stop = () => {
    for (const generator of generators) generator.stop();
  };
  // A generator that is stopped (SIGSTOP) does not see that this process is gone.
  const kill = () => {
    for (const generator of generators) generator.kill();
  };
  process.once('exit', kill);
  hooks.signal.addEventListener('abort', stop, { once: true });
  if (hooks.signal.aborted) stop();
  await Promise.all(generators.map((generator) => generator.ready));
  const startAtEpochMs = task.startAtEpochMs ?? Date.now() + leadMs(task, generators.length);
  hooks.onStart?.(startAtEpochMs);
  for (const generator of generators) generator.send({ type: 'start', startAtEpochMs });
  const results = await Promise.all(generators.map((generator) => generator.result));
  hooks.signal.removeEventListener('abort', stop);
  process.off('exit', kill);
  return mergeResults(results, task.seed);
}

/**
 * One task for each of `count` generators, none without learners: learners are dealt in turn, so
 * that each generator has its part of every arrival rate. No generator makes the faults of the
 * server.
 */
export function splitTask(task: GeneratorTask, count: number): GeneratorTask[] {
  const parts = Math.max(1, Math.min(count, task.plans.length));
  return Array.from({ length: parts }, (_, part) => {
    const { plans, faults } = partition(task.plans, task.faults, (_, index) => index % parts === part);
    return { ...task, plans, faults: faults.filter((fault) => 'learners' in fault) };
  });
}

/**
 * How many generators a load wants: one a core that the server leaves, but none for less than fifty
 * learners. Who sends a datagram waits for a thread of the library, so that cores are not what ends
 * first: more than ten learners of a generator would wait for one another.
 */
export function generatorCount(
  learners: number,
  cores: number,
  embedded: boolean,
  transport: LinkTransport = 'websocket',
): number {
  if (transport === 'quic-datagram') return Math.max(1, Math.min(mostWaiting, Math.ceil(learners / mostByDatagram)));
  const free = embedded ? cores - embeddedCores : cores;
  return Math.max(1, Math.min(free, Math.ceil(learners / leastLearners)));
}

/**
 * Why a program of Node ended, from what it wrote to stderr: the error that nobody caught, V8's
 * last word, or the last line that is a sentence; empty when it said nothing.
 */
export function causeOfDeath(said: string): string {
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const error = lines.findLast(
    (line) => /^(Uncaught )?\w*Error( \[\w+\])?: /.test(line) || line.startsWith('FATAL ERROR: '),
  );
  return error ?? lines.findLast((line) => /\w/.test(line) && !/^(Node\.js v|at )/.test(line)) ?? '';
}

class Generator {
  /** Also when it never will be: then its result says so. */
  readonly ready: Promise<void>;
  readonly result: Promise<GeneratorResult>;
  readonly #child: ChildProcess;

  constructor(task: GeneratorTask, onProgress: GeneratorHooks['onProgress']) {
    // A young generation of 2 MB: next to nothing survives in it, and it stays in the processor's
    // cache.
    const execArgv = [...process.execArgv, '--max-semi-space-size=2'];
    const child = fork(workerUrl(import.meta.url, 'process.js'), {
      serialization: 'advanced',
      // Stdin: a pipe that closes when this process ends, and ends the generator.
      stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
      execArgv,
    });
    this.#child = child;
    child.stdin?.on('error', () => {});
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said = (said + chunk).slice(-8000);
    });
    const message = (wanted: FromGenerator['type'], then: (message: FromGenerator) => void) =>
      child.on('message', (given: FromGenerator) => {
        if (given.type === wanted) then(given);
      });
    this.ready = new Promise((resolve) => {
      message('ready', () => resolve());
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
    this.result = new Promise((resolve) => {
      const lost = (why: string) => resolve(lostResult(task.plans.length, why));
      message('result', (given) => {
        if (given.type === 'result') resolve(given.result);
      });
      child.once('error', (error) => lost(error.message));
      child.once('close', (code, signal) => {
        const words = causeOfDeath(said);
        lost(`${signal ? `signal ${signal}` : `exit code ${code}`}${words ? `: ${words}` : ''}`);
      });
    });
    child.on('message', (given: FromGenerator) => {
      if (given.type === 'progress') onProgress(given.progress);
    });
    this.send({ type: 'task', task });
  }

  /**
   * Asks for what has been measured so far. A generator that does not hear it, because its event
   * loop no longer turns, is killed.
   */
  stop(): void {
    let timer = setTimeout(() => this.kill(), deafMs);
    this.#child.on('message', (given: FromGenerator) => {
      if (given.type !== 'stopping') return;
      clearTimeout(timer);
      timer = setTimeout(() => this.kill(), stoppingMs);
    });
    this.#child.once('exit', () => clearTimeout(timer));
    this.send({ type: 'stop' });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Says it, if anybody is there to hear it. */
  send(message: ToGenerator): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}

/** How long a generator may take to hear that it is to stop, and then to say what it measured. */
const deafMs = 1500;
const stoppingMs = 15_000;

/** Cores that an embedded server keeps busy: its sockets, and its model. */
const embeddedCores = 2;
const leastLearners = 50;
/** Ten wait 1 ms of each 20 ms on an idle machine, and a third of it on one that is full. */
const mostByDatagram = 10;
/** Each is a process of 100 MB. */
const mostWaiting = 16;

/**
 * From saying when the test starts to its start: the time to set up the learners of the fullest
 * generator.
 */
function leadMs({ plans }: GeneratorTask, generators: number): number {
  return 250 + plans.length / generators;
}
