import { closeSync, mkdirSync, openSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileTrouble } from '../src/file-trouble.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

it.each<[string, (directory: string) => unknown, string]>([
  ['that is not there', (at) => readFileSync(join(at, 'gone')), 'there is no such file or directory'],
  ['that is a directory', (at) => readFileSync(at), 'it is a directory'],
  ['below a file', (at) => readFileSync(join(at, 'file', 'below')), 'a part of its path is no directory'],
  ['whose links go round', (at) => readFileSync(join(at, 'round')), 'its links lead back to themselves'],
  ['whose name is too long', (at) => readFileSync(join(at, 'x'.repeat(300))), 'its name is too long'],
  ['that is there', (at) => mkdirSync(join(at, 'file')), 'it is there already'],
])('a file %s', (_, use, sentence) => {
  const directory = temporaryDirectory();
  closeSync(openSync(join(directory, 'file'), 'w'));
  symlinkSync('round', join(directory, 'round'));
  try {
    use(directory);
    expect.unreachable();
  } catch (error) {
    expect(fileTrouble(error)).toBe(sentence);
  }
});

it.each([
  ['what is no answer of the system', new Error('it is UTF-16; save it as UTF-8'), 'it is UTF-16; save it as UTF-8'],
  [
    'an answer that is rare',
    Object.assign(new Error("EXDEV: it is elsewhere, open '/a/b'"), { code: 'EXDEV' }),
    'it is elsewhere',
  ],
  ['no error', 'broken', 'broken'],
])('%s is left as it is, without codes and paths', (_, error, sentence) => {
  expect(fileTrouble(error)).toBe(sentence);
});
