import { fork, type SendHandle } from 'node:child_process';
import type { Server } from 'node:net';
import { workerUrl } from '../../../threads/worker-url.ts';

/**
 * A descriptor of a socket that listens, as Node sends it between processes. It takes connections
 * once a server listens on it, until that server closes and the descriptor with it.
 */
export type Descriptor = SendHandle & { close(): void };

/** The descriptor on which a server listens; undefined: it does not. */
export function descriptorOf(server: Server): Descriptor | undefined {
  return (server as Listening)._handle ?? undefined;
}

/**
 * Asks for further descriptors of the same socket. Node has no `dup`: another process is sent
 * the socket, sends it back as often as it is told, and ends. Where that fails there are fewer, or
 * none.
 * @param onCopy what it gets is the caller's to close
 * @returns ends it early
 */
export function copyDescriptor(of: Descriptor, copies: number, onCopy: (copy: Descriptor) => void): () => void {
  const echo = fork(workerUrl(import.meta.url, 'handle-echo.js'), {
    // What this process was started with (a debugger's port among it) is nothing for that one.
    execArgv: [],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const giveUp = (): void => void echo.kill('SIGKILL');
  echo.on('error', giveUp);
  // Without a descriptor to spare there is no channel either.
  if (!echo.channel) return giveUp;
  let left = copies;
  echo.on('message', (_, copy) => {
    onCopy(copy as Descriptor);
    left -= 1;
    if (left === 0) giveUp();
  });
  const timer = setTimeout(giveUp, patienceMs).unref();
  echo.once('exit', () => clearTimeout(timer));
  // A handle, and no server: that one would listen as well, and take connections with it.
  echo.send(copies, of, { keepOpen: true }, (error) => error && giveUp());
  echo.unref();
  echo.channel.unref();
  return giveUp;
}

/** What Node sends between processes of a server that listens. */
type Listening = Server & { _handle?: Descriptor | null };

/** How long the other process may take; it starts while this one is busy. */
const patienceMs = 30_000;
