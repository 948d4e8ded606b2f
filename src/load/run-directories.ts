import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type RecordedRun, readRecordedRun } from './recorded-run.ts';

/** Where the `number`-th run of `loadtest --runs` is kept, from 1. */
export function runDirectory(directory: string, number: number): string {
  return join(directory, `run-${number}`);
}

/** The run of a directory, or those of `loadtest --runs` in it, in order. Throws as `readRecordedRun`. */
export function readRuns(directory: string): RecordedRun[] {
  const runs: RecordedRun[] = [];
  while (existsSync(runDirectory(directory, runs.length + 1))) {
    runs.push(readRecordedRun(runDirectory(directory, runs.length + 1)));
  }
  return runs.length > 0 ? runs : [readRecordedRun(directory)];
}
