import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectory } from '../../src/report/make-directory.ts';

const scratch = mkdtempSync(join(tmpdir(), 'speechfb-directory-'));

test('makes a directory with its parents, and leaves one that is there alone', () => {
  const deep = join(scratch, 'a', 'b', 'c');
  makeDirectory(deep);
  makeDirectory(deep);
  expect(existsSync(deep)).toBe(true);
});

test('refuses a path through a file', () => {
  writeFileSync(join(scratch, 'file'), '');
  expect(() => makeDirectory(join(scratch, 'file', 'below'))).toThrow(/EEXIST|ENOTDIR/);
});

test.skipIf(!existsSync('/proc/self'))('comes back with an error where nothing can be made', () => {
  expect(() => makeDirectory('/proc/nope/run')).toThrow(/ENOENT|EACCES|EPERM/);
});
