import type { Socket } from 'node:dgram';
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

/**
 * The same for a socket of UDP that is not bound yet; `host` is an address of its family.
 * @throws SpeechfbError `port_in_use`, `cannot_listen`
 */
export function listenForDatagrams(socket: Socket, { host, port }: ListenAddress, hints: ListenHints): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      socket.close();
      reject(listenError(cause, { host, port }, hints, 'ss -lunp'));
    };
    socket.once('error', fail);
    socket.bind(port, host, () => {
      socket.off('error', fail);
      resolve(socket.address().port);
    });
  });
}

function listenError(
  cause: NodeJS.ErrnoException,
  { host, port }: ListenAddress,
  hints: ListenHints,
  listing = 'ss -ltnp',
): SpeechfbError {
  if (cause.code === 'EADDRINUSE') {
    const hint = `${hints.anotherPort}; find who has it: ${listing}`;
    return new SpeechfbError('port_in_use', `port ${port} on ${host} is in use`, { hint, cause });
  }
  return cannotListen('', { host, port }, cause.code, { hint: hints.address, cause });
}

/**
 * That nobody can be heard at an address, for any reason but that it is taken.
 *
 * @param what for what, with a space behind it, or nothing
 * @param code the system's answer, as `EACCES`
 */
export function cannotListen(
  what: string,
  { host, port }: ListenAddress,
  code: string | undefined,
  options: { hint: string; cause: unknown },
): SpeechfbError {
  const why = refusals[code ?? ''] ?? 'the system does not allow it';
  return new SpeechfbError('cannot_listen', `cannot listen ${what}on ${host}:${port}: ${why}`, options);
}

const refusals: Readonly<Record<string, string>> = {
  EACCES: 'this user may not take that port',
  EPERM: 'this user may not take that port',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EAFNOSUPPORT: 'this machine does not speak that kind of address',
  EINVAL: 'an address of this kind needs its interface, as fe80::1%eth0',
  ENOTFOUND: 'nobody knows that name',
  EAI_AGAIN: 'whoever resolves names does not answer',
  EMFILE: 'too many files and sockets are open',
  ENFILE: 'too many files and sockets are open',
};
