import type { ReplicaSignal } from '../fault/definition/definition.ts';
import type { EmbeddedServer, StartOptions } from './embedded-server.ts';

/**
 * Starts the one with this place: at its own address when it comes again, at any when that is
 * undefined.
 */
export type StartReplica = (
  place: number,
  address: string | undefined,
  options: StartOptions,
) => Promise<EmbeddedServer>;

/** Processes of one kind that stand for one another, as the nodes of a service; the first is 1. */
export class Replicas {
  readonly #kind: string;
  readonly #run: StartReplica;
  readonly #servers: EmbeddedServer[] = [];
  readonly #starting = new Set<Promise<void>>();
  #isOver = false;

  /** `kind`: what messages call one of them. */
  constructor(kind: string, run: StartReplica) {
    this.#kind = kind;
    this.#run = run;
  }

  get count(): number {
    return this.#servers.length;
  }

  /** Where they are found. */
  get urls(): readonly string[] {
    return this.#servers.map(({ url }) => url);
  }

  /** Starts so many; those that are there already count when one fails, and `stop` ends them. */
  async startAll(count: number, options: StartOptions): Promise<void> {
    const started = await Promise.allSettled(
      Array.from({ length: count }, (_, at) => this.#run(at + 1, undefined, options)),
    );
    this.#servers.push(...started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
    const failed = started.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Signals one of them; why it could not, or undefined. */
  signal(place: number, signal: ReplicaSignal): string | undefined {
    const found = this.#servers[place - 1];
    if (!found) return `the server has no ${this.#kind} ${place}`;
    return found.signal(signal) ? undefined : `${this.#kind} ${place} is gone`;
  }

  /** Signals all of them; false when none is there. */
  signalAll(signal: 'SIGSTOP' | 'SIGCONT'): boolean {
    return this.#servers.map((server) => server.signal(signal)).includes(true);
  }

  stepClocks(ms: number): boolean {
    return this.#servers.map((server) => server.stepClock(ms)).includes(true);
  }

  /** Starts one again at its address, when it is gone. */
  start(place: number): void {
    const gone = this.#servers[place - 1];
    if (!gone || this.#isOver) return;
    const starting: Promise<void> = gone.exited
      .then(() => (this.#isOver ? gone : this.#run(place, gone.url, {})))
      .then(
        (started) => {
          this.#servers[place - 1] = started;
        },
        // One that does not come back is missed by the others, and that is measured.
        () => {},
      )
      .finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#starting);
    await Promise.all(this.#servers.map((server) => server.stop()));
  }
}
