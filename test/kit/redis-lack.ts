import { spawnSync } from 'node:child_process';

/** Why nothing can be tried with a real Redis here; undefined: it can. */
export const redisLack =
  spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'there is no redis-server (Debian: redis-server)';
if (redisLack) console.warn(`SKIPPED: nothing was tried with a real Redis: ${redisLack}`);
