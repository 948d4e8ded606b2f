import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SpeechfbError } from '../../errors.ts';
import { freePort } from './free-port.ts';
import { Guard } from './guard.ts';

export type RedisOptions = {
  /** Any free one when it is undefined. */
  port?: number | undefined;
  /** The port of the Redis on this machine whose replica it is. */
  replicaOf?: number;
};

/** A real redis-server on a loopback port, which keeps nothing on disk. */
export class RedisProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  /** A Redis does not see that the load test is gone. */
  readonly #guard: Guard | undefined;

  private constructor(port: number, { replicaOf }: RedisOptions) {
    this.port = port;
    const kept = ['--save', '', '--appendonly', 'no', '--dir', tmpdir()];
    const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--repl-diskless-sync-delay', '0', ...kept];
    const replica = ['--repl-diskless-load', 'swapdb', '--replicaof', '127.0.0.1', `${replicaOf}`];
    const args = ['--daemonize', 'no', ...own, ...(replicaOf === undefined ? [] : replica)];
    this.#child = spawn('redis-server', args, { stdio: 'ignore', detached: true });
    this.#child.on('error', () => {});
    this.#guard = this.#child.pid === undefined ? undefined : new Guard(this.#child.pid);
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
    });
    this.#exited.then(() => this.#guard?.release());
  }

  /**
   * Resolves when it answers, and, being a replica, has what its primary has. Error:
   * `server_failed`.
   */
  static async start(options: RedisOptions = {}, signal?: AbortSignal): Promise<RedisProcess> {
    checkRedis();
    const redis = new RedisProcess(options.port ?? (await freePort()), options);
    const untilMs = Date.now() + startupMs;
    while (Date.now() < untilMs && redis.isThere && !signal?.aborted) {
      const says = await redis.ask('INFO replication').catch(() => '');
      if (says.includes(options.replicaOf === undefined ? 'role:master' : 'master_link_status:up')) return redis;
      await wait(20);
    }
    await redis.stop();
    throw new SpeechfbError('server_failed', `redis-server did not start on port ${redis.port}`, {
      hint: `run redis-server --port ${redis.port} by itself to see why`,
    });
  }

  get isThere(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
  }

  /** False when it is gone. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): boolean {
    return this.#child.kill(signal);
  }

  /** What it answers to one command, in its own protocol; rejects when it does not within 2 s. */
  async ask(command: string): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port: this.port, signal: AbortSignal.timeout(2000) });
    socket.end(`${command}\r\nQUIT\r\n`);
    let said = '';
    for await (const chunk of socket) said += chunk;
    return said;
  }

  async stop(): Promise<void> {
    if (this.isThere && this.signal('SIGKILL')) await this.#exited;
  }
}

/** @throws SpeechfbError `server_failed` when there is no redis-server */
export function checkRedis(path: string = process.env.PATH ?? ''): void {
  if (path.split(delimiter).some((folder) => folder !== '' && isProgram(join(folder, 'redis-server')))) return;
  throw new SpeechfbError('server_failed', 'target.embedded.store is redis, but no redis-server is on PATH', {
    hint: 'install one, as apt-get install redis-server does, or leave target.embedded.store out',
  });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const startupMs = 10_000;
