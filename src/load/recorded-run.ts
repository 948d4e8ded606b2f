import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { unreadable } from '../config/read-chunks.ts';
import { SpeechfbError } from '../errors.ts';
import type { LoadReport } from '../report/report.ts';
import { loadReport, type RunFacts } from './load-report.ts';
import { Recorder, type Recording } from './recorder.ts';
import { runHint } from './run-file.ts';
import type { SampledTraces, Trace } from './traces.ts';

/** Everything that a run or a part of one measured, from which its report follows. */
export type RecordedRun = SampledTraces & { facts: RunFacts; recording: Recording };

/** Where a run directory keeps it, without the traces, which have a file of their own. */
export const recordingFile = 'recording.json.gz';
export const tracesFile = 'traces.ndjson.gz';

/** Needs `histogramsReady`. */
export function reportOf({ facts, recording }: RecordedRun): LoadReport {
  const recorder = new Recorder(recording);
  const report = loadReport(recorder, facts);
  recorder.destroy();
  return report;
}

/** The content of `recording.json.gz`. */
export function encodeRun({ facts, recording, tracesSeen }: RecordedRun): Buffer {
  return gzipSync(JSON.stringify({ kind: 'LoadRecording', version, facts, recording, tracesSeen }));
}

/** Reads a run directory back, exactly, but for its traces. Throws `unreadable_file` or `bad_run`. */
export function readRecordedRun(directory: string): RecordedRun {
  const file = join(directory, recordingFile);
  const head = parsed(file, unzipped(file, 'recording'));
  if (!header.safeParse(head).success) {
    throw new SpeechfbError('bad_run', `${file} is not a recording of this version of speechfb (${version})`);
  }
  return { ...(head as Omit<RecordedRun, 'traces'>), traces: [] };
}

/** The same with its traces, without which it cannot be joined to others. Throws `unreadable_file` or `bad_run`. */
export function readTracedRun(directory: string): RecordedRun {
  const file = join(directory, tracesFile);
  const run = readRecordedRun(directory);
  const lines = unzipped(file, 'traces').split('\n');
  return {
    ...run,
    traces: lines.flatMap((line, i) => (line === '' ? [] : [parsed(`${file}:${i + 1}`, line) as Trace])),
  };
}

/** Of the file's content: it holds what this program's own types hold, and rises when they change. */
const version = 1;

const header = z.object({
  kind: z.literal('LoadRecording'),
  version: z.literal(version),
  facts: z.object({ scenario: z.object({ name: z.string(), planHash: z.string() }), objectives: z.array(z.unknown()) }),
  recording: z.object({ slices: z.array(z.object({ labels: z.object({}), tally: z.object({}) })) }),
  tracesSeen: z.number(),
});

function unzipped(file: string, what: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw unreadable(file, what, cause, runHint);
  }
  try {
    return gunzipSync(bytes).toString();
  } catch (cause) {
    throw new SpeechfbError('bad_run', `${file} is damaged: ${(cause as Error).message}`, { cause });
  }
}

function parsed(where: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SpeechfbError('bad_run', `${where} is damaged: ${(cause as Error).message}`, { cause });
  }
}
