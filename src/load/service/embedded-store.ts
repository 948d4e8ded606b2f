import type { FaultyStore } from '../fault/definition/definition.ts';
import type { StoreCommand } from '../scenario/serve-args.ts';
import { RedisProcess } from './redis-process.ts';
import { StoreRelay } from './store-relay.ts';

/** The Redis of a service that a test has started. */
export class EmbeddedStore implements FaultyStore {
  readonly #relay: StoreRelay | undefined;
  #primary: RedisProcess;
  #replica: RedisProcess | undefined;
  #starting: Promise<void> = Promise.resolve();
  #isOver = false;

  private constructor(primary: RedisProcess, replica: RedisProcess | undefined, relay: StoreRelay | undefined) {
    this.#primary = primary;
    this.#replica = replica;
    this.#relay = relay;
  }

  /** Error: `server_failed`, at once when there is no redis-server. */
  static async start({ isRelayed, hasReplica }: StoreCommand, signal?: AbortSignal): Promise<EmbeddedStore> {
    const primary = await RedisProcess.start({}, signal);
    try {
      const replica = hasReplica ? await RedisProcess.start({ replicaOf: primary.port }, signal) : undefined;
      return new EmbeddedStore(primary, replica, isRelayed ? await StoreRelay.listen(primary.port) : undefined);
    } catch (error) {
      await primary.stop();
      throw error;
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#relay?.port ?? this.#primary.port}`;
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): string | undefined {
    return this.#primary.signal(signal) ? undefined : 'the store is gone';
  }

  startAgain(): void {
    const { port } = this.#primary;
    if (this.#isOver) return;
    this.#starting = this.#primary
      .stop()
      .then(() => RedisProcess.start({ port }))
      .then(
        (started) => {
          this.#primary = started;
        },
        // A store that does not come back is missed by the gateways, and that is measured.
        () => {},
      );
  }

  delayAnswers(ms: number): string | undefined {
    if (!this.#relay) return 'the store has no port where its answers could be late';
    this.#relay.delayMs = ms;
    return undefined;
  }

  async cutReplica(): Promise<string | undefined> {
    if (!this.#replica) return 'the store has no replica';
    const says = await this.#replica.ask('REPLICAOF NO ONE').catch((error: Error) => error.message);
    return says.startsWith('+OK') ? undefined : `the replica answered ${says.trim()}`;
  }

  failOver(): void {
    const replica = this.#replica;
    if (!replica || this.#isOver) return;
    this.#primary.signal('SIGKILL');
    this.#primary = replica;
    this.#replica = undefined;
    this.#relay?.switchTo(replica.port);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#starting;
    this.#relay?.close();
    await Promise.all([this.#primary.stop(), this.#replica?.stop()]);
  }
}
