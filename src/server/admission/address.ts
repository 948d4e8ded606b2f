import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from './exposure.ts';

/**
 * The address that a request came from, as far as it can be believed: behind `trustedProxies`
 * proxies of the operator's own, that entry of `X-Forwarded-For` counted from the right which the
 * outermost of them wrote. What stands left of it was written by the caller and is not read.
 */
export function callerAddress(request: IncomingMessage, trustedProxies: number): string {
  const own = plainAddress(request.socket.remoteAddress ?? '');
  if (trustedProxies === 0) return own;
  const entries = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  const told = plainAddress(entries.at(-trustedProxies)?.trim() ?? '');
  return isIP(told) === 0 ? own : told;
}

/**
 * Under which name the calls of an address are counted, as a socket has it: a network of 64 bits is
 * one household in IPv6. Undefined on loopback: a proxy on this machine calls from there for
 * everybody.
 */
export function accountOf(written: string): string | undefined {
  const address = plainAddress(written);
  if (isLoopback(address) || address === '') return undefined;
  if (isIP(address) !== 6) return address;
  return `${groupsOf(address).slice(0, 4).join(':')}::/64`;
}

/** Whether a proxy says that it passed the request on for somebody else. */
export function isForwarded({ headers }: IncomingMessage): boolean {
  return forwardedHeaders.some((name) => headers[name] !== undefined);
}

const forwardedHeaders = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'cf-connecting-ip',
  'true-client-ip',
];

/** IPv4 in an IPv6 socket as IPv4; without a zone, and without the port that some proxies write. */
function plainAddress(written: string): string {
  const bare = /^\[(.*)\](?::\d+)?$/.exec(written)?.[1] ?? /^([\d.]+):\d+$/.exec(written)?.[1] ?? written;
  return bare.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): string[] {
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const head = left === '' ? [] : left.split(':');
  if (right === undefined) return head;
  const tail = right === '' ? [] : right.split(':');
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail];
}
