import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { forgetEarlier, runDirectories } from '../../src/results/run-directories.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

function directoryWith(...files: string[]): string {
  const directory = temporaryDirectory();
  for (const file of files) {
    mkdirSync(join(directory, file, '..'), { recursive: true });
    writeFileSync(join(directory, file), '');
  }
  return directory;
}

it('the runs of a directory are known in order, and none where it holds one', () => {
  const several = directoryWith('run-1/run.json', 'run-2/run.json', 'run-10/run.json', 'runs.json');
  expect(runDirectories(several)).toEqual([join(several, 'run-1'), join(several, 'run-2')]);
  expect(runDirectories(directoryWith('run.json'))).toEqual([]);
});

it.each([
  ['one run', ['run.json', 'recording.json.gz', 'junit.xml'], []],
  ['several runs', ['runs.json', 'run-1/recording.json.gz', 'run-1/run.json', 'run-2/recording.json.gz'], []],
  [
    'a run beside what is not ours',
    ['run.json', 'curve.json', 'notes.txt', 'run-1/recording.json.gz', 'run-1/mine', 'run-3/run.json'],
    ['curve.json', 'notes.txt', 'run-1', 'run-1/mine', 'run-3', 'run-3/run.json'],
  ],
])('what an earlier test left of %s is forgotten', (_, files, left) => {
  const directory = directoryWith(...files);
  forgetEarlier(directory);
  expect(readdirSync(directory, { recursive: true }).map(String).sort()).toEqual(left);
});

it('where there is nothing, nothing is forgotten', () => {
  expect(() => forgetEarlier('/nowhere/at/all')).not.toThrow();
  expect(() => forgetEarlier('/dev/null')).not.toThrow();
});
