import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostName, isHostAllowed, isLoopback } from '../../../../src/server/admission/exposure.ts';
import { parseTokens } from '../../../../src/server/admission/tokens.ts';
import { type CallerPolicy, callerOfUpgrade } from '../../../../src/server/gateway/http/upgrade.ts';

const token = '0123456789abcdef';
const policy: CallerPolicy = {
  tokens: parseTokens(`anna ${token}\n`, 'tokens'),
  origins: { allowed: ['https://class.example'], loopback: true },
  hosts: { allowed: ['class.example'], loopback: true },
  trustedProxies: 1,
};
const good = {
  host: 'localhost:8090',
  authorization: `Bearer ${token}`,
  'sec-websocket-protocol': 'speechfb.v1',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

type Lines = Record<string, string | undefined>;

describe('an upgrade', () => {
  it.each([
    ['with a token', {}, 'anna'],
    [
      'with a token as a subprotocol',
      { authorization: undefined, 'sec-websocket-protocol': `speechfb.v1, bearer.${token}` },
      'anna',
    ],
    ['of a listed page', { origin: 'https://class.example', host: 'class.example' }, 'anna'],
    ['of a page of this machine', { origin: 'http://127.0.0.1:3000' }, 'anna'],
    ['without a token', { authorization: undefined }, 401],
    ['with a token that is none', { authorization: 'Basic Zm9v' }, 401],
    ['of another page', { origin: 'https://evil.example' }, 403],
    ['of a page without an origin of its own', { origin: 'null' }, 403],
    ['for another host', { host: 'evil.example' }, 421],
    ['for an address of the network', { host: '192.168.1.5:9000' }, 421],
    ['for a host that is none', { host: 'a b' }, 421],
    ['for a host with a user', { host: 'localhost@evil.example' }, 421],
    ['without the subprotocol', { 'sec-websocket-protocol': `bearer.${token}` }, 400],
  ])('%s is answered as it should be', (_, headers, expected) => {
    const caller = callerAtOnce(requestOf({ ...good, ...headers }));
    expect('status' in caller ? caller.status : caller.owner).toBe(expected);
  });

  it.each([
    ['whose headers are of any case', { upgrade: 'WebSocket' }, undefined],
    ['that is a POST', { method: 'POST' }, /asked for with GET/],
    ['of HTTP/1.0', { httpVersion: '1.0' }, /with HTTP\/1\.1/],
    ['that names no host', { host: undefined }, /names its Host/],
    ['to HTTP/2', { upgrade: 'h2c' }, /Upgrade is not "websocket"/],
    ['to several protocols', { upgrade: 'websocket, h2c' }, /Upgrade is not "websocket"/],
    ['of a draft', { 'sec-websocket-version': '8' }, /Version is not 13/],
    ['of no version', { 'sec-websocket-version': undefined }, /Version is not 13/],
    ['with half a key', { 'sec-websocket-key': 'dGhlIHNh' }, /Key is not 16 bytes/],
    ['without a key', { 'sec-websocket-key': undefined }, /Key is not 16 bytes/],
    ['with a body', { 'content-length': '5' }, /has no body/],
    ['with a body in chunks', { 'transfer-encoding': 'chunked' }, /has no body/],
  ])('%s is told whether it is a handshake', (_, { method, httpVersion, ...headers }: Lines, sentence) => {
    const caller = callerAtOnce(requestOf({ ...good, ...headers }, undefined, method, httpVersion));
    if (sentence === undefined) expect(caller).toMatchObject({ owner: 'anna' });
    else {
      const status = 'sec-websocket-version' in headers ? 426 : 400;
      expect(caller).toMatchObject({ status, reason: 'malformed', message: expect.stringMatching(sentence) });
    }
  });

  it('on another path is told where streams are', () => {
    expect(callerOfUpgrade(requestOf(good, '/v2/stream?x=1'), policy)).toMatchObject({ status: 404, reason: 'path' });
  });

  it('is answered in printable words, and opened for nobody without a token, whatever its headers hold', () => {
    const header = fc.option(fc.oneof(fc.string({ unit: 'binary' }), fc.webAuthority(), fc.ipV6()), { nil: undefined });
    const names = ['host', 'origin', 'authorization', 'sec-websocket-protocol', 'x-forwarded-for'] as const;
    const headers = fc
      .tuple(header, header, header, header, header)
      .map((values) => Object.fromEntries(names.map((name, index) => [name, values[index]])));
    fc.assert(
      fc.property(headers, (changes) => {
        const caller = callerAtOnce(requestOf({ ...good, ...changes }));
        if (!('status' in caller)) expect(changes.authorization).toBeUndefined();
        else expect(caller.message).toMatch(/^[\x20-\x7e]{1,300}$/);
      }),
    );
  });
});

describe('the name that a server is called by', () => {
  it('is on loopback this machine, a listed name, or none at all', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webAuthority(), fc.domain(), fc.ipV4(), fc.string()), (host) => {
        const name = hostName(host);
        const expected = name !== undefined && (isLoopback(name) || name === 'class.example');
        expect(isHostAllowed(host, policy.hosts)).toBe(expected);
      }),
    );
  });

  it.each([
    ['any name', 'school.example', [], true],
    ['a listed name', 'class.example', ['class.example'], true],
    ['an address beside listed names', '203.0.113.1:8090', ['class.example'], true],
    ['an IPv6 address beside listed names', '[2001:db8::1]', ['class.example'], true],
    ['a name that is not listed', 'evil.example', ['class.example'], false],
  ])('beyond this machine may be %s', (_, host, allowed, expected) => {
    expect(isHostAllowed(host, { allowed, loopback: false })).toBe(expected);
  });
});

/** Whose tokens stand in a token file is known at once. */
function callerAtOnce(request: IncomingMessage) {
  const caller = callerOfUpgrade(request, policy);
  if (caller instanceof Promise) throw new Error('a token file took its time');
  return caller;
}

function requestOf(
  headers: Record<string, string | undefined>,
  url = '/v1/stream',
  method = 'GET',
  httpVersion = '1.1',
) {
  return { url, method, httpVersion, headers, socket: { remoteAddress: '127.0.0.1' } } as unknown as IncomingMessage;
}
