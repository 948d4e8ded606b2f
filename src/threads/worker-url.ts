import { existsSync } from 'node:fs';
import { SpeechfbError } from '../errors.ts';

/**
 * A compiled worker that lies beside the module `here` in dist/, also when that runs from src/ under a test runner, because
 * Node 20 cannot run TypeScript in a worker. Error: `not_built`.
 */
export function workerUrl(here: string, file: string): URL {
  const url = new URL(file, here.endsWith('.ts') ? here.replace(/\/src\/(?!.*\/src\/)/, '/dist/') : here);
  if (!existsSync(url)) throw new SpeechfbError('not_built', `there is no ${url.pathname}`, { hint: 'npm run build' });
  return url;
}
