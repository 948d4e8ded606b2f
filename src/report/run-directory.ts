import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { SpeechfbError } from '../errors.ts';
import { loadMarkdown } from './markdown.ts';
import type { LoadReport } from './report.ts';
import { runJson } from './run-json.ts';

/** What a run leaves behind beside its report. */
export type RunDetails = {
  /** HDR V2 (compressed, base64), us, by tag. */
  histograms: readonly { tag: string; hdr: string; maxMs: number }[];
  traces: readonly object[];
};

/** Writes run.json, summary.md, histograms.hlog and traces.ndjson.gz into `directory`, which is made when missing. */
export function writeRunDirectory(directory: string, report: LoadReport, details: RunDetails): void {
  const files = {
    'run.json': `${JSON.stringify(runJson(report), null, 2)}\n`,
    'summary.md': loadMarkdown(report),
    'histograms.hlog': histogramLog(report, details),
    'traces.ndjson.gz': gzipSync(details.traces.map((trace) => `${JSON.stringify(trace)}\n`).join('')),
  };
  try {
    mkdirSync(directory, { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  } catch (cause) {
    const message = `cannot write the results to "${directory}": ${(cause as Error).message}`;
    throw new SpeechfbError('output_unwritable', message, { cause });
  }
}

/** HdrHistogram log format 1.3, one tagged line a histogram over the whole run; values in us, maxima in ms. */
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
