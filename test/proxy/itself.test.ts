import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isItself } from '../../src/proxy/itself.ts';

const outward = Object.values(networkInterfaces())
  .flat()
  .find((each) => each !== undefined && !each.internal && each.family === 'IPv4')?.address;

describe('a proxy to itself', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', 'localhost', true],
    ['localhost', '127.0.0.1', true],
    ['127.0.0.1', '0.0.0.0', true],
    ['0.0.0.0', '0.0.0.0', true],
    ['0.0.0.0', 'localhost', true],
    ['0.0.0.0', '127.0.0.7', true],
    ['0.0.0.0', outward ?? '127.0.0.1', true],
    ['::', '127.0.0.1', true],
    ['::', '::1', true],
    ['::1', '::', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['127.0.0.1', '::ffff:127.0.0.1', true],
    ['0.0.0.0', '::1', false],
    ['127.0.0.1', '127.0.0.2', false],
    ['127.0.0.1', '::1', false],
    ['0.0.0.0', '192.0.2.7', false],
    ['127.0.0.1', 'nobody.invalid', false],
  ])('listening on %s, passed on to %s: %s', async (listen, upstream, expected) => {
    expect(await isItself({ host: listen, port: 9103 }, { host: upstream, port: 9103 })).toBe(expected);
    expect(await isItself({ host: listen, port: 9103 }, { host: upstream, port: 9104 })).toBe(false);
  });
});
