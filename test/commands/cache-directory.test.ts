import { expect, it } from 'vitest';
import { cacheDirectory } from '../../src/commands/loadtest/cache-directory.ts';

it.each<[platform: NodeJS.Platform, env: Record<string, string>, home: string, directory: string | undefined]>([
  ['linux', {}, '/home/ann', '/home/ann/.cache/speechfb'],
  ['linux', { XDG_CACHE_HOME: '/var/ann' }, '/home/ann', '/var/ann/speechfb'],
  ['linux', { XDG_CACHE_HOME: 'ann' }, '/home/ann', '/home/ann/.cache/speechfb'],
  ['linux', { XDG_CACHE_HOME: '' }, '', undefined],
  ['darwin', { LOCALAPPDATA: '/no' }, '/Users/ann', '/Users/ann/Library/Caches/speechfb'],
  ['win32', { LOCALAPPDATA: '/c/ann' }, '/c/users', '/c/ann/speechfb'],
  ['win32', {}, '/c/users', '/c/users/AppData/Local/speechfb'],
])('on %s with %o and the home "%s" the cache is %s', (platform, env, home, directory) => {
  expect(cacheDirectory(env, platform, home)).toBe(directory);
});
