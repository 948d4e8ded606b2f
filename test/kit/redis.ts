import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { RedisPlace } from '../../src/stores/redis/redis-link.ts';
import { freePort } from './free-port.ts';

/** A Redis of a test's own, which it may stop, kill and start again at the same place. */
export type TestRedis = {
  readonly place: RedisPlace;
  readonly url: string;
  signal(name: NodeJS.Signals): void;
  /** Ends it at once, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty. */
  start(): Promise<void>;
};

/** A Redis on a free port, which ends with the test. */
export async function startRedis(args: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort();
  let server: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const going = server;
    server = undefined;
    if (!going || going.exitCode !== null) return;
    const gone = new Promise((resolve) => going.once('exit', resolve));
    going.kill('SIGKILL');
    await gone;
  };
  const start = async (): Promise<void> => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...args];
    server = spawn('redis-server', options, { stdio: 'ignore' });
    for (let tries = 0; !(await connectsTo(port)); tries += 1) {
      if (tries > 3000 || server.exitCode !== null) throw new Error('redis-server does not listen');
      await wait(10);
    }
  };
  onTestFinished(kill);
  await start();
  const place = { host: '127.0.0.1', port, database: 0, username: undefined, password: undefined, isSecure: false };
  return { place, url: `redis://127.0.0.1:${port}`, signal: (name) => void server?.kill(name), kill, start };
}

/** Whether Redis answers there. */
function connectsTo(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const done = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.on('data', (data) => done(/^(\+PONG|-NOAUTH)/.test(data.toString())));
    socket.on('error', () => done(false));
  });
}
