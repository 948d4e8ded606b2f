import { existsSync } from 'node:fs';
import { SpeechfbError } from '../errors.ts';

/**
 * The compiled script of a worker thread or a child process that lies beside the module `here` in
 * dist/, also when that module runs from src/ under a test runner: Node 20 runs no TypeScript in a
 * worker or a child. Error: `not_built`.
 */
export function workerUrl(here: string, file: string): URL {
  const url = new URL(file, here.endsWith('.ts') ? here.replace(/\/src\/(?!.*\/src\/)/, '/dist/') : here);
  if (!existsSync(url)) throw new SpeechfbError('not_built', `there is no ${url.pathname}`, { hint: 'npm run build' });
  return url;
}
