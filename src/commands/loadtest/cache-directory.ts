import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where this user's programs keep what they can make again, by the custom of the system; undefined
 * for a user without a home.
 */
export function cacheDirectory(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  home: string = homedir(),
): string | undefined {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = env;
  const given = platform === 'win32' ? local : xdg;
  // A relative path in XDG_CACHE_HOME is to be ignored (XDG base directory specification 0.8).
  if (given !== undefined && isAbsolute(given)) return join(given, 'speechfb');
  if (!isAbsolute(home)) return undefined;
  if (platform === 'win32') return join(home, 'AppData', 'Local', 'speechfb');
  return platform === 'darwin' ? join(home, 'Library', 'Caches', 'speechfb') : join(home, '.cache', 'speechfb');
}
