import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, expect, vi } from 'vitest';
import { freePort } from './free-port.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const started: GroupRedis[] = [];

// Not where one is started: a hook that another hook asks for never comes.
afterAll(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.kill()));
});

/** One of several Redis of a test file, which ends with that. */
export class GroupRedis {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #password: string | undefined;
  #process: ChildProcess | undefined;
  #admin: Redis | undefined;

  private constructor(port: number, args: readonly string[], password?: string) {
    this.port = port;
    this.#args = args;
    this.#password = password;
    started.push(this);
  }

  /**
   * @param lines of its configuration, which it may rewrite
   * @param password of its default user
   */
  static async start(
    lines: readonly string[],
    { password, args = [], port }: { password?: string; args?: readonly string[]; port?: number } = {},
  ): Promise<GroupRedis> {
    const own = port ?? (await freePort());
    const directory = temporaryDirectory();
    const file = join(directory, 'redis.conf');
    const usual = [`port ${own}`, 'bind 127.0.0.1', `dir ${directory}`];
    const secret = password === undefined ? [] : [`requirepass ${password}`];
    writeFileSync(file, `${[...usual, ...secret, ...lines].join('\n')}\n`, { mode: 0o600 });
    const redis = new GroupRedis(own, [file, ...args], password);
    await redis.start();
    return redis;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** What it answers to a command. */
  async ask(...command: readonly string[]): Promise<unknown> {
    if (!this.#admin) {
      this.#admin = new Redis({
        port: this.port,
        host: '127.0.0.1',
        retryStrategy: () => 50,
        enableReadyCheck: false,
        ...(this.#password !== undefined && { password: this.#password }),
      });
      this.#admin.on('error', () => {});
    }
    const [name = '', ...rest] = command;
    return await this.#admin.call(name, ...rest);
  }

  /** Starts it, again after `kill`; resolves when it answers. */
  async start(): Promise<void> {
    this.#process = spawn('redis-server', this.#args, { stdio: 'ignore' });
    await vi.waitFor(async () => expect(await this.ask('PING')).toBe('PONG'), patience);
  }

  /** Ends it at once, and resolves when it is gone. */
  async kill(): Promise<void> {
    this.#admin?.disconnect();
    this.#admin = undefined;
    const going = this.#process;
    if (!going || going.exitCode !== null || going.signalCode !== null) return;
    const gone = once(going, 'exit');
    going.kill('SIGKILL');
    await gone;
  }
}

/** Others share the machine. */
export const patience = { timeout: 30_000, interval: 25 };
