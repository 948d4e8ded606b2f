import type { AddressInfo, Server } from 'node:net';
import { SpeechfbError } from './errors.ts';

/** Where a server listens; a port of 0 takes any that is free. */
export type ListenAddress = { host: string; port: number };

/**
 * What to do about a port that is taken, and about an address that is not ours; both name the
 * caller's flags.
 */
export type ListenHints = { anotherPort: string; address: string };

/**
 * Resolves with the port that the server really has.
 * @throws SpeechfbError `port_in_use`, `cannot_listen`
 */
export function listen(server: Server, { host, port }: ListenAddress, hints: ListenHints): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, { host, port }, hints)));
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function listenError(cause: NodeJS.ErrnoException, { host, port }: ListenAddress, hints: ListenHints): SpeechfbError {
  if (cause.code === 'EADDRINUSE') {
    const hint = `${hints.anotherPort}; find who has it: ss -ltnp`;
    return new SpeechfbError('port_in_use', `port ${port} on ${host} is in use`, { hint, cause });
  }
  const message = `cannot listen on ${host}:${port}: ${cause.message}`;
  return new SpeechfbError('cannot_listen', message, { hint: hints.address, cause });
}
