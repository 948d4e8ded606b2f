import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { z } from 'zod';
import { unreadable } from '../config/read-chunks.ts';
import { plainSentence, shown } from '../config/sentences.ts';
import { SpeechfbError } from '../errors.ts';
import { jsonText } from '../json-text.ts';
import { Recorder, type Recording } from '../metrics/recorder.ts';
import type { Trace } from '../metrics/trace.ts';
import type { SampledTraces } from '../metrics/traces.ts';
import { loadReport, type RunMetadata } from './judge-run.ts';
import { recordedTrace, recordingHeader, recordingSchema, recordingVersion } from './recording-schema.ts';
import type { LoadReport } from './report.ts';
import { badRun, runHint } from './run-file.ts';

/** Everything that a run or a part of one measured, from which its report follows. */
export type RecordedRun = SampledTraces & { metadata: RunMetadata; recording: Recording };

/** Where a run directory keeps it, without the traces, which have a file of their own. */
export const recordingFile = 'recording.json.gz';
export const tracesFile = 'traces.ndjson.gz';

/** Needs `histogramsReady`. */
export function reportOf({ metadata, recording }: RecordedRun): LoadReport {
  using recorder = new Recorder(recording);
  return loadReport(recorder, metadata);
}

/** The content of `recording.json.gz`. */
export function encodeRun({ metadata, recording, tracesSeen }: RecordedRun): Buffer {
  return gzipSync(jsonText({ kind: 'LoadRecording', version: recordingVersion, metadata, recording, tracesSeen }, 0));
}

/**
 * Reads a run directory back, exactly, but for its traces. Throws `unreadable_file` or `bad_run`.
 */
export function readRecordedRun(directory: string): RecordedRun {
  const file = join(directory, recordingFile);
  const content = parsed(file, unzipped(file, 'recording', mostRecordedBytes));
  const header = recordingHeader.safeParse(content);
  if (!header.success) throw new SpeechfbError('bad_run', `${file} is not a recording of speechfb`, { hint: runHint });
  if (header.data.version !== recordingVersion) throw otherVersion(file, header.data.version);
  const { metadata, recording, tracesSeen } = checked(file, recordingSchema, content);
  // What is missing of the metadata reads like what is undefined.
  return { metadata: metadata as RunMetadata, recording: recording as Recording, tracesSeen, traces: [] };
}

/**
 * The same with its traces, without which it cannot be joined to others. Throws `unreadable_file`
 * or `bad_run`.
 */
export function readTracedRun(directory: string): RecordedRun {
  const file = join(directory, tracesFile);
  const run = readRecordedRun(directory);
  const lines = unzipped(file, 'traces', mostTraceBytes).split('\n');
  const traces = lines.flatMap((line, i) => {
    const where = `${file}:${i + 1}`;
    return line === '' ? [] : [checked(where, recordedTrace, parsed(where, line)) as Trace];
  });
  const { tracesSeen } = run;
  if (traces.length > tracesSeen || (traces.length === 0 && tracesSeen > 0)) {
    const message = `${file} holds ${traces.length} traces, but the recording beside it knows of ${tracesSeen}`;
    throw new SpeechfbError('bad_run', message, { hint: runHint });
  }
  return { ...run, traces };
}

/** The value by its schema; `where` is its file. Throws `bad_run`. */
function checked<S extends z.ZodType>(where: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value, { error: plainSentence });
  if (result.success) return result.data;
  throw badRun(`${where} does not hold what speechfb wrote: it was changed since`, result.error.issues);
}

function unzipped(file: string, what: string, mostBytes: number): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw unreadable(file, what, cause, runHint);
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: mostBytes }).toString();
  } catch (cause) {
    throw damaged(
      file,
      isHuge(cause) ? 'it unpacks to far more than a load test writes' : 'it is no whole gzip file',
      cause,
    );
  }
}

function parsed(where: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(where, `it is not JSON: ${shown(text.trim())}`, cause);
  }
}

function otherVersion(file: string, version: number): SpeechfbError {
  const age = version < recordingVersion ? 'an older' : 'a newer';
  const message = `${file} was written by ${age} speechfb: its version is ${version}, and this one reads ${recordingVersion}`;
  return new SpeechfbError('bad_run', message, { hint: `${runHint}; this one is read by the speechfb that wrote it` });
}

/**
 * A recording of a hundred slices has some 40 MB; what unpacks to more was not written by speechfb.
 */
const mostRecordedBytes = 400_000_000;
/** A sample of traces is written up to some 8 MB. */
const mostTraceBytes = 64_000_000;

function isHuge(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
}

function damaged(where: string, why: string, cause: unknown): SpeechfbError {
  return new SpeechfbError('bad_run', `${where} is damaged: ${why}`, { hint: runHint, cause });
}
