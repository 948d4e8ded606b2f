import { join } from 'node:path';
import { z } from 'zod';
import { parseJsonLine, readLines } from '../config/json-lines.ts';
import { SpeechfbError } from '../errors.ts';
import { ranksWithin } from '../metrics/definitions.ts';
import { histogramProblem } from '../metrics/encoded-histogram.ts';
import { histogramsReady, LatencyHistogram } from '../metrics/histogram.ts';
import { notNegative, words } from './recording-fields.ts';
import { doubtOf, readFileOf, readRunFile, runHint } from './run-file.ts';

/**
 * What a run directory says of bad and all events; src/report/export/run-directory.ts writes one.
 */
export type ReadRun = {
  elapsedMs: number;
  /**
   * Why the run proves nothing, such as a generator that could not keep its schedule; undefined
   * when it may be trusted.
   */
  doubt: string | undefined;
  /** Bad and all of a share such as session_success; undefined when the run does not hold it. */
  share(name: string): Count | undefined;
  /**
   * Events of a latency above `atMostMs`, those that never came among them; undefined when the run
   * does not hold it.
   */
  above(name: string, atMostMs: number): Count | undefined;
  /** Events of a latency that never came, and those that did. */
  never(name: string): number;
  came(name: string): number;
};

type Count = { bad: number; total: number };

/** `total_ms` is Infinity for a feedback that never came. */
export type RunTrace = { at_ms: number; session: string; utterance?: number | undefined; total_ms: number };

/** Reads run.json and histograms.hlog of `directory`. Throws `unreadable_file` or `bad_run`. */
export async function readRun(directory: string): Promise<ReadRun> {
  const report = readRunFile(directory);
  const histograms = readHistograms(join(directory, 'histograms.hlog'));
  await histogramsReady();
  return {
    elapsedMs: report.elapsed_ms,
    doubt: doubtOf(report),
    share(name) {
      const found = report.shares[name];
      return found && { bad: found.total - found.good, total: found.total };
    },
    above(name, atMostMs) {
      const [first, ...others] = histograms.get(name) ?? [];
      if (first === undefined) return undefined;
      using histogram = new LatencyHistogram({ hdr: first, never: report.distributions[name]?.never ?? 0 });
      for (const hdr of others) addTo(histogram, hdr);
      const total = histogram.samples;
      const bad = total - ranksWithin(histogram, (ms) => ms <= atMostMs);
      return { bad, total };
    },
    never: (name) => report.distributions[name]?.never ?? 0,
    came(name) {
      const { samples, never } = report.distributions[name] ?? { samples: 0, never: 0 };
      return samples - never;
    },
  };
}

const traceLine = z.object({
  at_ms: notNegative(),
  session: words('a name'),
  utterance: z.number().optional(),
  total_ms: notNegative()
    .nullable()
    .transform((ms) => ms ?? Number.POSITIVE_INFINITY),
});

/**
 * The feedback events of a run: a uniform sample of them when there were many. Throws
 * `unreadable_file` or `bad_traces`.
 */
export async function readRunTraces(directory: string): Promise<RunTrace[]> {
  const file = join(directory, 'traces.ndjson.gz');
  const traces: RunTrace[] = [];
  for await (const { line, text } of readLines(file, 'traces')) {
    const parsed = parseJsonLine(text, traceLine);
    if ('problem' in parsed) throw faultyTrace(`${file}:${line}:1`, parsed.problem);
    traces.push(parsed.value);
    if (traces.length > mostTraces) {
      throw new SpeechfbError(
        'bad_traces',
        `${file} has more than ${mostTraces} traces; a load test keeps a tenth of that`,
      );
    }
  }
  return traces;
}

/** Ten times what a load test keeps: a file that unpacks to more was not written by one. */
const mostTraces = 200_000;

function faultyTrace(where: string, message: string): SpeechfbError {
  return new SpeechfbError('bad_traces', 'the run has a faulty trace', { problems: [{ where, message }] });
}

/**
 * Compressed histograms of us by tag, from an HdrHistogram log. The tag of a whole run is its
 * metric alone; slices of it have longer ones (`feedback_latency;profile=4g`) and are not read. A
 * tag may have a line an interval: all are of one run.
 */
function readHistograms(file: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [index, line] of readFileOf(file).split('\n').entries()) {
    const match = /^Tag=([^,]+),[^,]*,[^,]*,[^,]*,(.+)$/.exec(line.trim());
    if (!match) continue;
    const [, tag, hdr] = match as unknown as [string, string, string];
    const wrong = histogramProblem(hdr);
    if (wrong !== undefined)
      throw new SpeechfbError('bad_run', `${file}:${index + 1}: ${tag} ${wrong}`, { hint: runHint });
    found.set(tag, [...(found.get(tag) ?? []), hdr]);
  }
  return found;
}

function addTo(histogram: LatencyHistogram, hdr: string): void {
  using interval = new LatencyHistogram({ hdr, never: 0 });
  histogram.add(interval);
}
