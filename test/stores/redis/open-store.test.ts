import { afterEach, expect, it } from 'vitest';
import { checkStore } from '../../../src/stores/redis/open-store.ts';

afterEach(() => {
  delete process.env.SPEECHFB_TEST_SECRET;
});

it.each(['redis://h:6379', 'redis://h', 'rediss://user:word@h:6380/3', 'redis://h:6379/'])('%s is a store', (given) => {
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
  ['redis://${env:SPEECHFB_TEST_SECRET}@h', 'unset_variable', /SPEECHFB_TEST_SECRET is not set/],
])('%s is refused by its code, without its secrets', (given, code, message) => {
  const refuse = (): unknown => checkStore(given);
  expect(refuse).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  expect(refuse).not.toThrow(/secret-word/);
});
