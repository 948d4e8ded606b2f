import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { accountOf, callerAddress, isForwarded } from '../../../src/server/admission/address.ts';

describe('the address of a caller', () => {
  it.each([
    ['the socket says it when no proxy is trusted', '203.0.113.1', '198.51.100.7', 0, '203.0.113.1'],
    ['IPv4 in IPv6 is IPv4', '::ffff:203.0.113.1', undefined, 0, '203.0.113.1'],
    ['one proxy wrote the last entry', '127.0.0.1', '10.9.9.9, 198.51.100.7', 1, '198.51.100.7'],
    [
      'of two proxies the outer one wrote the entry before',
      '127.0.0.1',
      '6.6.6.6, 198.51.100.7, 10.0.0.2',
      2,
      '198.51.100.7',
    ],
    ['what the caller wrote further left is not read', '127.0.0.1', '6.6.6.6,198.51.100.7', 1, '198.51.100.7'],
    ['fewer entries than proxies: it came another way', '203.0.113.1', '198.51.100.7', 2, '203.0.113.1'],
    ['no header: it came another way', '203.0.113.1', undefined, 1, '203.0.113.1'],
    ['no address in the header', '203.0.113.1', 'unknown', 1, '203.0.113.1'],
    ['an address with a port', '127.0.0.1', '198.51.100.7:4711', 1, '198.51.100.7'],
    ['an IPv6 address with a port', '127.0.0.1', '[2001:db8::1]:4711', 1, '2001:db8::1'],
    ['an IPv6 address with a zone', 'fe80::1%eth0', undefined, 0, 'fe80::1'],
  ])('%s', (_, remoteAddress, forwarded, proxies, expected) => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    const request = { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
    expect(callerAddress(request, proxies)).toBe(expected);
  });

  it.each([
    ['203.0.113.1', '203.0.113.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::7', '2001:db8:1:2::/64'],
    ['2001:DB8::7', '2001:db8:0:0::/64'],
    ['::7', '0:0:0:0::/64'],
    ['fe80::1', 'fe80:0:0:0::/64'],
    ['fe80::fc:ff:fe00:1%eth0', 'fe80:0:0:0::/64'],
    ['::ffff:203.0.113.1', '203.0.113.1'],
    ['::ffff:127.0.0.1', undefined],
    ['127.0.0.1', undefined],
    ['127.9.9.9', undefined],
    ['::1', undefined],
    ['', undefined],
  ])('%s is counted as %s', (address, account) => {
    expect(accountOf(address)).toBe(account);
  });

  it.each(['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'])('a proxy is known by %s', (name) => {
    expect(isForwarded({ headers: { [name]: 'x' } } as unknown as IncomingMessage)).toBe(true);
    expect(isForwarded({ headers: { host: 'x' } } as unknown as IncomingMessage)).toBe(false);
  });
});
