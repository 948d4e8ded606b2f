import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { type RecordedRun, readRecordedRun, readTracedRun, recordingFile, tracesFile } from './recorded-run.ts';

/**
 * What a run directory may hold: first what the rest can be made from again, should the disk be
 * full.
 */
export const runFileNames = [
  'recording.json.gz',
  'run.json',
  'junit.xml',
  'summary.md',
  'histograms.hlog',
  'traces.ndjson.gz',
  'feedback_latency.hdrplot',
  'service.log',
] as const;

/** Where the `number`-th run of `loadtest --runs` is kept, from 1. */
export function runDirectory(directory: string, number: number): string {
  return join(directory, `run-${number}`);
}

/** What a directory of several runs has beside them. */
export const runsFile = 'runs.json';

/**
 * Forgets what an earlier test with `--out` wrote here: its files, and those of its runs with their
 * directories. Whatever else is here stays. So nobody takes what is left of two tests for one.
 */
export function forgetEarlier(directory: string): void {
  const remove = (...path: string[]) => tryTo(() => rmSync(join(...path), { force: true }));
  for (const name of [...runFileNames, runsFile]) remove(directory, name);
  for (let number = 1; number <= 100 && existsSync(join(runDirectory(directory, number), recordingFile)); number++) {
    const run = runDirectory(directory, number);
    for (const name of runFileNames) remove(run, name);
    if (readdirSync(run).length === 0) tryTo(() => rmdirSync(run));
  }
}

/** What cannot be removed cannot be written over either: whoever writes next says so. */
function tryTo(remove: () => void): void {
  try {
    remove();
  } catch {}
}

/**
 * The run of a directory, or those of `loadtest --runs` in it, in order; with their traces, unless
 * these were lost. Throws as `readTracedRun`.
 */
export function readRuns(directory: string): RecordedRun[] {
  const several = runDirectories(directory);
  return (several.length > 0 ? several : [directory]).map((one) =>
    existsSync(join(one, tracesFile)) ? readTracedRun(one) : readRecordedRun(one),
  );
}

/**
 * The directories of the runs of `loadtest --runs` in this one, in order; none when it holds one
 * run.
 */
export function runDirectories(directory: string): string[] {
  const runs: string[] = [];
  while (existsSync(runDirectory(directory, runs.length + 1))) runs.push(runDirectory(directory, runs.length + 1));
  return runs;
}
