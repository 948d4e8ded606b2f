import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeDirectory, whyUnwritable } from '../../../src/report/export/make-directory.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const scratch = temporaryDirectory();

it('makes a directory with its parents, and leaves one that is there alone', () => {
  const deep = join(scratch, 'a', 'b', 'c');
  makeDirectory(deep);
  makeDirectory(deep);
  expect(existsSync(deep)).toBe(true);
});

it('refuses a path through a file', () => {
  writeFileSync(join(scratch, 'file'), '');
  expect(() => makeDirectory(join(scratch, 'file', 'below'))).toThrow(/EEXIST|ENOTDIR/);
});

it.skipIf(!existsSync('/proc/self'))('comes back with an error where nothing can be made', () => {
  expect(() => makeDirectory('/proc/nope/run')).toThrow(/ENOENT|EACCES|EPERM/);
});

it.each([
  ['that is there', [], undefined],
  ['that can be made', ['new', 'deep'], undefined],
  ['that is a file', ['a-file'], /a-file" is no directory$/],
  ['below a file', ['a-file', 'x', 'y'], /a-file" is no directory$/],
])('a directory %s is known to be writable or not', (_, path, why) => {
  writeFileSync(join(scratch, 'a-file'), '');
  const found = whyUnwritable(join(scratch, ...path));
  if (why) expect(found).toMatch(why);
  else expect(found).toBeUndefined();
});

it.skipIf(process.getuid?.() === 0)('so is one that belongs to others', () => {
  mkdirSync(join(scratch, 'theirs'));
  chmodSync(join(scratch, 'theirs'), 0o500);
  expect(whyUnwritable(join(scratch, 'theirs', 'run'))).toMatch(/nothing may be written in ".*theirs"$/);
});
