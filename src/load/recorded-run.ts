import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { SpeechfbError } from '../errors.ts';
import type { LoadReport } from '../report/report.ts';
import { loadReport, type RunFacts } from './load-report.ts';
import { Recorder, type Recording } from './recorder.ts';
import type { SampledTraces, Trace } from './traces.ts';

/** Everything that a run or a part of one measured, from which its report follows. */
export type RecordedRun = SampledTraces & { facts: RunFacts; recording: Recording };

/** Where a run directory keeps it, without the traces, which have a file of their own. */
export const recordingFile = 'recording.json.gz';

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

/** Reads a run directory back, exactly. Throws `unreadable_file` or `bad_run`. */
export function readRecordedRun(directory: string): RecordedRun {
  const file = join(directory, recordingFile);
  const head = parsed(file, unzipped(file));
  if (!header.safeParse(head).success) {
    throw new SpeechfbError('bad_run', `${file} is not a recording of this version of speechfb (${version})`);
  }
  const tracesFile = join(directory, 'traces.ndjson.gz');
  const lines = unzipped(tracesFile).split('\n');
  const traces = lines.flatMap((line, i) => (line === '' ? [] : [parsed(`${tracesFile}:${i + 1}`, line) as Trace]));
  return { ...(head as Omit<RecordedRun, 'traces'>), traces };
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

function unzipped(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const message = `cannot read "${file}": ${(cause as Error).message}`;
    throw new SpeechfbError('unreadable_file', message, { hint: 'speechfb loadtest --out DIR writes one', cause });
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
