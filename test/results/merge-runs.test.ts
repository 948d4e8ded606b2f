import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import { Recorder } from '../../src/metrics/recorder.ts';
import { runJson } from '../../src/report/export/run-json.ts';
import type { RunMetadata } from '../../src/results/judge-run.ts';
import { mergeRuns } from '../../src/results/merge-runs.ts';
import {
  encodeRun,
  type RecordedRun,
  readRecordedRun,
  readTracedRun,
  reportOf,
} from '../../src/results/recorded-run.ts';
import { parseObjective } from '../../src/slo/objective/expression.ts';
import { metadata } from '../kit/run-metadata.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

beforeAll(histogramsReady);

type Sample = { learner: number; ms: number };

const samples = fc.array(
  fc.record({
    learner: fc.nat(30),
    ms: fc.oneof(fc.double({ min: 0, max: 5000, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY)),
  }),
  {
    minLength: 1,
    maxLength: 200,
  },
);

describe('shards merged', () => {
  it('equal the whole run: counts, histograms, verdicts', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 5 }), (all, count) => {
        const shards = Array.from({ length: count }, (_, i) => ({
          name: `s${i + 1}`,
          run: recorded(
            all.filter(({ learner }) => learner % count === i),
            shard(i + 1, count),
          ),
        }));
        const merged = reportOf(mergeRuns(shards));
        const whole = reportOf(recorded(all, undefined));
        expect(runJson({ ...merged, sessionErrors: [] })).toEqual(
          runJson({ ...whole, sessionErrors: [], validity: merged.validity }),
        );
      }),
      { numRuns: 30, seed: 7 },
    );
  });

  it('begin when the first began and last as long as the longest', () => {
    const later = { ...metadata, startedAt: '2026-11-26T09:00:01.000Z', elapsedMs: 2500, shard: shard(2, 2) };
    const first = { ...metadata, startedAt: '2026-11-26T09:00:00.000Z', elapsedMs: 2000, shard: shard(1, 2) };
    const { metadata: merged } = mergeRuns([named('b', later), named('a', first)]);
    expect(merged).toMatchObject({ startedAt: first.startedAt, elapsedMs: 2500, shard: undefined });
  });

  it('are interrupted when one was', () => {
    const one = { ...metadata, shard: shard(1, 2), interrupted: true };
    expect(mergeRuns([named('a', one), named('b', { ...metadata, shard: shard(2, 2) })]).metadata.interrupted).toBe(
      true,
    );
  });

  const other = { ...metadata.scenario, planHash: 'other' };
  it.each<[string, RunMetadata[], RegExp]>([
    ['a whole run', [metadata], /a: is a whole run, not a shard/],
    [
      'a shard that is missing',
      [
        { ...metadata, shard: shard(1, 3) },
        { ...metadata, shard: shard(3, 3) },
      ],
      /shard 2\/3: is missing/,
    ],
    [
      'one shard twice',
      [
        { ...metadata, shard: shard(1, 1) },
        { ...metadata, shard: shard(1, 1) },
      ],
      /a, b: are the same shard, 1\/1/,
    ],
    [
      'another schedule',
      [
        { ...metadata, shard: shard(1, 2) },
        { ...metadata, shard: shard(2, 2), scenario: other },
      ],
      /b: has the schedule other, unlike .* of a/,
    ],
    [
      'another version',
      [
        { ...metadata, shard: shard(1, 2) },
        { ...metadata, shard: shard(2, 2), speechfbVersion: '9' },
      ],
      /b: has the version of speechfb 9/,
    ],
    [
      'another split',
      [
        { ...metadata, shard: shard(1, 2) },
        { ...metadata, shard: shard(2, 3) },
      ],
      /b: has the number of shards 3, unlike 2 of a/,
    ],
    [
      'other objectives',
      [
        { ...metadata, shard: shard(1, 2) },
        { ...metadata, shard: shard(2, 2), objectives: [parseObjective('lost_frames == 0')] },
      ],
      /b: has the objectives lost_frames == 0/,
    ],
  ])('refuse %s', (_, parts, pattern) => {
    const runs = parts.map((part, i) => named('abc'[i]!, part));
    let said = '';
    try {
      mergeRuns(runs);
    } catch (error) {
      const { code, problems } = error as { code: string; problems: { where: string; message: string }[] };
      said = `${code} ${problems.map(({ where, message }) => `${where}: ${message}`).join('\n')}`;
    }
    expect(said).toMatch(/^bad_shards/);
    expect(said).toMatch(pattern);
  });
});

describe('a run directory', () => {
  const directory = temporaryDirectory();

  it('reads back to the same report', () => {
    const run = {
      ...recorded(
        [
          { learner: 1, ms: 87 },
          { learner: 2, ms: Number.POSITIVE_INFINITY },
        ],
        undefined,
      ),
      tracesSeen: 2,
    };
    const traces = [{ at_ms: 1, session: 'learner-1', profile: 'lte', language: 'en-US', total_ms: 87, stages: {} }];
    writeFileSync(join(directory, 'recording.json.gz'), encodeRun(run));
    writeFileSync(join(directory, 'traces.ndjson.gz'), gzipSync(`${JSON.stringify(traces[0])}\n`));
    const read = readTracedRun(directory);
    expect(reportOf(read)).toEqual(reportOf(run));
    expect(read).toMatchObject({ traces, tracesSeen: 2 });
    rmSync(join(directory, 'traces.ndjson.gz'));
    expect(readRecordedRun(directory)).toMatchObject({ traces: [], tracesSeen: 2 });
    expect(() => readTracedRun(directory)).toThrow(/cannot read the traces ".*": there is no such file or directory$/);
  });

  it.each([
    ['no zip', Buffer.from('{}'), /is damaged/],
    ['no JSON', gzipSync('{'), /is damaged/],
    ['another document', gzipSync('{"kind":"LoadReport"}'), /is not a recording of speechfb/],
  ])('with a recording that is %s is refused as bad_run', (_, content, pattern) => {
    writeFileSync(join(directory, 'recording.json.gz'), content);
    expect(() => readRecordedRun(directory)).toThrow(pattern);
  });

  it('that is not there is refused with how to make one', () => {
    expect(() => readRecordedRun(join(directory, 'nowhere'))).toThrow(/cannot read .*recording\.json\.gz/);
  });
});

function recorded(all: readonly Sample[], part: RunMetadata['shard']): RecordedRun {
  using recorder = new Recorder();
  for (const { learner, ms } of all) {
    const slice = recorder.slice({ profile: ['lte', '3g'][learner % 2]!, language: 'en-US' });
    slice.record('feedback_latency', ms);
    slice.tally.frames_sent += learner;
    slice.tally.sessions += 1;
  }
  return { metadata: { ...metadata, shard: part }, recording: recorder.encode(), traces: [], tracesSeen: 0 };
}

function named(name: string, own: RunMetadata) {
  return { name, run: { metadata: own, recording: { slices: [] }, traces: [], tracesSeen: 0 } };
}

function shard(index: number, count: number) {
  return { index, count, planHash: `${index}/${count}` };
}
