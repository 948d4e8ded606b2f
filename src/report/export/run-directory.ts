import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Problem, SpeechfbError } from '../../errors.ts';
import { fileTrouble } from '../../file-trouble.ts';
import { jsonText } from '../../json-text.ts';
import type { Distribution } from '../../metrics/definitions.ts';
import type { LoadReport } from '../../results/report.ts';
import { runFileNames } from '../../results/run-directories.ts';
import { hdrplotText } from './hdrplot.ts';
import { junitXml } from './junit.ts';
import { makeDirectory } from './make-directory.ts';
import { loadMarkdown } from './markdown.ts';
import { runJson } from './run-json.ts';

/** What a run leaves behind beside its report. */
export type RunDetails = {
  /** HDR V2 (compressed, base64), us, by tag. */
  histograms: readonly { tag: string; hdr: string; maxMs: number }[];
  /** Feedback latency of the whole run. */
  feedbackLatency: Distribution;
  traces: readonly object[];
  /** The content of recording.json.gz, from which the run can be read back exactly. */
  recording: Buffer;
  /** What the server that the test started has logged; absent: the test started none. */
  serviceLog?: string;
};

/**
 * Writes run.json, summary.md, junit.xml, histograms.hlog, recording.json.gz and the others of
 * RunDetails into `directory`, which is made when missing. A file that cannot be written does not
 * stop the others: `output_unwritable` names each that is lost, and why.
 */
export function writeRunDirectory(directory: string, report: LoadReport, details: RunDetails): void {
  const contents: Record<(typeof runFileNames)[number], () => string | Buffer | undefined> = {
    'recording.json.gz': () => details.recording,
    'run.json': () => jsonText(runJson(report)),
    'junit.xml': () => junitXml(report),
    'summary.md': () => loadMarkdown(report),
    'histograms.hlog': () => histogramLog(report, details),
    'traces.ndjson.gz': () => gzipSync(details.traces.map((trace) => `${jsonText(trace, 0)}\n`).join('')),
    'feedback_latency.hdrplot': () => hdrplotText('feedback_latency', details.feedbackLatency),
    'service.log': () => details.serviceLog,
  };
  const lost = tryTo(directory, () => makeDirectory(directory));
  for (const name of lost.length > 0 ? [] : runFileNames) {
    const file = join(directory, name);
    const problems = tryTo(file, () => {
      const content = contents[name]();
      if (content !== undefined) writeFileSync(file, content);
    });
    // Half a file reads like a whole one.
    if (problems.length > 0) tryTo(file, () => rmSync(file, { force: true }));
    lost.push(...problems);
  }
  if (lost.length === 0) return;
  throw new SpeechfbError('output_unwritable', `not all results could be written to "${directory}"`, {
    problems: lost,
  });
}

function tryTo(where: string, write: () => void): Problem[] {
  try {
    write();
    return [];
  } catch (error) {
    return [{ where, message: `is lost: ${fileTrouble(error)}` }];
  }
}

/**
 * HdrHistogram log format 1.3, one tagged line a histogram over the whole run; values in us, maxima
 * in ms.
 */
function histogramLog({ startedAt, elapsedMs }: LoadReport, { histograms }: RunDetails): string {
  const startSeconds = (Date.parse(startedAt) / 1000).toFixed(3);
  const seconds = (elapsedMs / 1000).toFixed(3);
  return [
    '#[Histogram log format version 1.3]',
    `#[StartTime: ${startSeconds} (seconds since epoch), ${startedAt}]`,
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ...histograms.map(({ tag, hdr, maxMs }) => `Tag=${tag},0.000,${seconds},${maxMs.toFixed(3)},${hdr}`),
    '',
  ].join('\n');
}
