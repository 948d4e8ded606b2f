import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { Address } from './address.ts';

/**
 * Whether a connection to `upstream` would arrive at `listen`: a proxy to itself opens connections
 * until there are no more. Names are looked up; one that nobody knows is not this machine.
 */
export async function isItself(listen: Address, upstream: Address): Promise<boolean> {
  if (listen.port !== upstream.port) return false;
  const [own, theirs] = await Promise.all([addressesOf(listen.host), addressesOf(upstream.host)]);
  const here = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => plain(address)) ?? []);
  return theirs.map(reached).some((address) => {
    if (own.includes(address)) return true;
    const isHere = here.includes(address) || isLoopback(address);
    return isHere && own.some((each) => each === '::' || (each === '0.0.0.0' && !address.includes(':')));
  });
}

async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => plain(address));
  } catch {
    return [];
  }
}

/**
 * In its shortest form, without the zone, and without what makes an IPv6 address of an IPv4 one.
 */
function plain(address: string): string {
  const bare = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  return bare.includes(':') ? new URL(`tcp://[${bare}]`).hostname.slice(1, -1) : bare;
}

/**
 * The address that a connection to `address` reaches: the unspecified address stands for this
 * machine.
 */
function reached(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
