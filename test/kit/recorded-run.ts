import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Recorder } from '../../src/metrics/recorder.ts';
import type { RunMetadata } from '../../src/results/judge-run.ts';
import { encodeRun } from '../../src/results/recorded-run.ts';
import { parseObjective } from '../../src/slo/objective/expression.ts';
import { metadata } from './run-metadata.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Where `runOf` puts its run directories. */
export const scratch = temporaryDirectory();
export const objectives = [parseObjective('p95(feedback_latency) < 500ms')];

/**
 * The directory of a run of twenty sessions of thirty feedbacks each, `laterMs` later than usual. Needs the histograms
 * to be ready.
 */
export function runOf(name: string, laterMs = 0, changed: Partial<RunMetadata> = {}): string {
  using recorder = new Recorder();
  const slice = recorder.slice({ profile: 'direct', language: 'en-US' });
  const traces: object[] = [];
  for (let session = 0; session < 20; session++) {
    slice.tally.sessions += 1;
    for (let i = 0; i < 30; i++) {
      const total_ms = 40 + session + i + laterMs;
      slice.record('feedback_latency', total_ms);
      traces.push({
        at_ms: i,
        session: `learner-${session}`,
        profile: 'direct',
        language: 'en-US',
        total_ms,
        stages: {},
      });
    }
  }
  const recording = recorder.encode();
  const directory = join(scratch, name);
  mkdirSync(directory, { recursive: true });
  const run = { metadata: { ...metadata, objectives, ...changed }, recording, traces: [], tracesSeen: traces.length };
  writeFileSync(join(directory, 'recording.json.gz'), encodeRun(run));
  writeFileSync(
    join(directory, 'traces.ndjson.gz'),
    gzipSync(traces.map((one) => `${JSON.stringify(one)}\n`).join('')),
  );
  return directory;
}
