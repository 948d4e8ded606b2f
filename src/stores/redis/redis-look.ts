import { connect } from 'node:net';
import { connect as connectByTls } from 'node:tls';
import type { RedisAddress } from './redis-place.ts';

/** What takes connections at an address, by what it answered to a PING without a password. */
export type Seen =
  | { speaks: 'redis' | 'redis by TLS'; said: string }
  | { speaks: 'TLS' | 'something else' | 'nothing' | 'goodbye' }
  | { speaks: 'unreachable' };

/**
 * Looks what takes connections at an address where a client of Redis got nowhere: by a PING in
 * plain text and one in TLS. It tells nothing that is secret, so it trusts any certificate.
 *
 * @param patienceMs how long that may take
 */
export async function lookAt(address: RedisAddress, patienceMs: number): Promise<Seen> {
  const byTls = heardFrom(address, true, patienceMs);
  const plain = await heardFrom(address, false, patienceMs);
  if (plain === 'unreachable') return { speaks: plain };
  if (isRedis(plain)) return { speaks: 'redis', said: plain.text };
  const secret = await byTls;
  if (isRedis(secret)) return { speaks: 'redis by TLS', said: secret.text };
  if (typeof secret === 'object') return { speaks: 'something else' };
  if (secret !== 'unreachable') return { speaks: 'TLS' };
  if (typeof plain === 'object') return { speaks: 'something else' };
  return { speaks: plain === 'silent' ? 'nothing' : 'goodbye' };
}

/** By TLS, what came after the handshake: without one nobody was reached. */
type Heard = { text: string } | 'silent' | 'closed' | 'unreachable';

/** To a PING Redis answers by a simple string or an error (RESP2). */
function isRedis(heard: Heard): heard is { text: string } {
  return typeof heard === 'object' && /^(\+PONG|-[A-Z]+ )/.test(heard.text);
}

function heardFrom({ host, port }: RedisAddress, isByTls: boolean, patienceMs: number): Promise<Heard> {
  return new Promise((resolve) => {
    let isConnected = false;
    const greet = () => {
      isConnected = true;
      socket.write('PING\r\n');
    };
    const socket = isByTls
      ? connectByTls({ host, port, rejectUnauthorized: false }, greet)
      : connect({ host, port }, greet);
    const end = (heard: Heard) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(heard);
    };
    const timer = setTimeout(() => end(isConnected ? 'silent' : 'unreachable'), patienceMs).unref();
    socket.unref();
    socket.once('data', (data: Buffer) => end({ text: data.subarray(0, mostBytes).toString('latin1') }));
    socket.on('error', () => end(isConnected ? 'closed' : 'unreachable'));
    socket.once('close', () => end(isConnected ? 'closed' : 'unreachable'));
  });
}

const mostBytes = 512;
