import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

/** An empty directory, gone with all that is in it when the tests of the file are over, failed or not. */
export function temporaryDirectory(parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, 'speechfb-test-'));
  made.push(directory);
  return directory;
}

// An installed package has tens of thousands of files: on a busy machine they take their time to go.
afterAll(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});
