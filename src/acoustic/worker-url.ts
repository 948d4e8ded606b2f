import { existsSync } from 'node:fs';
import { SpeechfbError } from '../errors.ts';

/**
 * The compiled worker: beside this file in dist/, or in dist/ when this file runs from src/ under a test runner, because Node 20
 * cannot run TypeScript in a worker. Error: `not_built`.
 */
export function workerUrl(here = import.meta.url): URL {
  const url = here.endsWith('.ts') ? new URL('../../dist/acoustic/worker.js', here) : new URL('worker.js', here);
  if (!existsSync(url)) throw new SpeechfbError('not_built', `there is no ${url.pathname}`, { hint: 'npm run build' });
  return url;
}
