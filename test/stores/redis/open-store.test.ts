import { afterEach, expect, it } from 'vitest';
import { checkStore } from '../../../src/stores/redis/open-store.ts';
import { redisPlaceOf } from '../../../src/stores/redis/redis-place.ts';

afterEach(() => {
  delete process.env.SPEECHFB_TEST_SECRET;
});

it.each([
  'redis://h:6379',
  'redis://h',
  'rediss://user:word@h:6380/3',
  'redis://h:6379/',
  'redis+sentinel://h/main',
  'rediss+sentinel://user:word@h:1,h2:2,[::1]:3/main/4?sentinel_user=a&sentinel_password=b&sentinel_tls=no',
  'redis+cluster://h',
  'rediss+cluster://user:word@h:1,h2:2/0',
])('%s is a store', (given) => {
  expect(checkStore(given)).toBe(given);
});

it('memory is none, and a secret of the environment stays there', () => {
  expect(checkStore('memory')).toBeUndefined();
  process.env.SPEECHFB_TEST_SECRET = 'hush-hush';
  expect(checkStore('redis://:${env:SPEECHFB_TEST_SECRET}@h:6379')).toBe('redis://:${env:SPEECHFB_TEST_SECRET}@h:6379');
});

it.each([
  ['http://h:6379', 'bad_url', /is not the URL of a Redis/],
  ['redis', 'bad_url', /is not the URL of a Redis/],
  ['redis://:secret-word@h/db/1', 'bad_url', /more than host, port and database/],
  ['redis://h/0?family=6', 'bad_url', /more than host, port and database/],
  ['redis://:secret-word@h,h2/0', 'bad_url', /names several hosts; allowed: redis\+sentinel/],
  ['redis+sentinel://:secret-word@h:1,h2:2', 'bad_url', /names no master; allowed: .*NAME/],
  ['redis+sentinel://h/main/x', 'bad_url', /more than a name and a database/],
  ['redis+sentinel://h/main/0/1', 'bad_url', /more than a name and a database/],
  ['redis+sentinel://h,,h2/main', 'bad_url', /is not the URL of a Redis/],
  ['redis+sentinel://h,h2:x:secret-word@h3/main', 'bad_url', /names a user behind the first host/],
  ['redis+sentinel://h,h2:99999/main', 'bad_url', /is not the URL of a Redis/],
  ['redis+sentinel://h,h2:0/main', 'bad_url', /has port 0/],
  ['redis+sentinel://h:1,h:1/main', 'bad_url', /names a host twice/],
  [
    'redis+sentinel://h/main?sentinel_word=secret-word',
    'bad_url',
    /an option that there is not; allowed: sentinel_user=/,
  ],
  ['redis+sentinel://h/main?sentinel_password=', 'bad_url', /sentinel_password without a value, or twice/],
  ['redis+sentinel://h/main?sentinel_tls=perhaps', 'bad_url', /neither; allowed: yes, no/],
  ['redis+sentinel://h/main#secret-word', 'bad_url', /has a fragment/],
  ['redis+cluster://h,h2/1', 'bad_url', /a cluster has database 0 alone/],
  ['redis+other://h', 'bad_url', /is not the URL of a Redis/],
  ['redis://${env:SPEECHFB_TEST_SECRET}@h', 'unset_variable', /SPEECHFB_TEST_SECRET is not set/],
])('%s is refused by its code, without its secrets', (given, code, message) => {
  const refuse = (): unknown => checkStore(given);
  expect(refuse).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  expect(refuse).not.toThrow(/secret-word/);
});

it('names sentinels, the master, and who we are at either', () => {
  const url = 'rediss+sentinel://anna:w%40rd@h,[::1]:7/ma%20in/3?sentinel_password=s+p%26&sentinel_tls=no';
  expect(redisPlaceOf(url)).toEqual({
    url: 'rediss+sentinel://***@h,[::1]:7/ma%20in/3?sentinel_password=***&sentinel_tls=***',
    place: {
      sentinels: [
        { host: 'h', port: 26_379 },
        { host: '::1', port: 7 },
      ],
      master: 'ma in',
      database: 3,
      username: 'anna',
      password: 'w@rd',
      isSecure: true,
      sentinelLogin: { username: undefined, password: 's+p&', isSecure: false },
    },
  });
});

it('names some nodes of a cluster', () => {
  expect(redisPlaceOf('redis+cluster://h:1,h2').place).toMatchObject({
    nodes: [
      { host: 'h', port: 1 },
      { host: 'h2', port: 6379 },
    ],
    isSecure: false,
  });
});
