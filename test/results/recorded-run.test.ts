import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatError, SpeechfbError } from '../../src/errors.ts';
import { SessionTail, sessionSums } from '../../src/metrics/cluster-sums.ts';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import { Recorder } from '../../src/metrics/recorder.ts';
import { runJson } from '../../src/report/export/run-json.ts';
import type { RunMetadata } from '../../src/results/judge-run.ts';
import {
  encodeRun,
  type RecordedRun,
  readRecordedRun,
  readTracedRun,
  reportOf,
} from '../../src/results/recorded-run.ts';
import { metadata } from '../kit/run-metadata.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

beforeAll(histogramsReady);

const directory = temporaryDirectory();
const trace = { at_ms: 5, session: 'learner-1', profile: 'lte', language: 'en-US', total_ms: 80, stages: { asr: 3 } };

/** Everything that a recording may say, once. */
const full: RunMetadata = {
  ...metadata,
  shard: { index: 1, count: 2, planHash: 'x' },
  aborted: { objective: 'lost_frames == 0', atMs: 900, reason: 'for certain' },
  prices: { server: 1.2, servers: 2 },
  sessionErrors: [{ text: 'a socket closed', count: 3 }],
  generators: [
    { learners: 20, busy: 0.3, cpu: 0.4, waited: undefined, loopDelayP99Ms: 1, rssBytes: 1e8 },
    { learners: 10, busy: 0, cpu: 0, waited: 0.1, loopDelayP99Ms: 0, rssBytes: 0, lost: 'it was killed' },
  ],
  faults: [
    { kind: 'reconnect', plannedMs: 100, atMs: 101, affected: { learners: 3, of: 4 } },
    { kind: 'stop-server', plannedMs: 100, atMs: 101, untilMs: 200, problem: 'it had ended' },
  ],
};

const nothing = { shard: undefined, aborted: undefined, prices: undefined } as const;

function recorded(): RecordedRun {
  using recorder = new Recorder();
  const slice = recorder.slice({ profile: 'lte', language: 'en-US', phase: 'spike' });
  for (let ms = 40; ms < 140; ms++) slice.record('feedback_latency', ms);
  slice.record('feedback_latency', Number.POSITIVE_INFINITY);
  slice.stages.asr.record(12);
  slice.tally.sessions = 4;
  slice.tally.sound_due_ms = 12.5;
  const tail = new SessionTail();
  for (let i = 0; i < 100; i++) tail.add(2 + i);
  slice.clusters['availability >= 99%'] = sessionSums(100, 1, tail);
  const backend = recorder.backend('managed');
  backend.counts.finals = 7;
  backend.finalLatency.record(120);
  return { metadata: full, recording: recorder.encode(), traces: [], tracesSeen: 1 };
}

/** The recording with its text changed, and what reading it says. */
function edited(change: (json: string) => string, traces: readonly unknown[] = [trace]): string {
  const json = gunzipSync(encodeRun(recorded())).toString();
  const changed = change(json);
  writeFileSync(join(directory, 'recording.json.gz'), gzipSync(changed));
  writeFileSync(
    join(directory, 'traces.ndjson.gz'),
    gzipSync(traces.map((one) => `${JSON.stringify(one)}\n`).join('')),
  );
  try {
    readTracedRun(directory);
  } catch (error) {
    expect(error).toBeInstanceOf(SpeechfbError);
    return formatError(error as SpeechfbError);
  }
  return 'it was read';
}

it('a recording with everything that one may say reads back as it was', () => {
  expect(edited((json) => json)).toBe('it was read');
  expect(reportOf(readRecordedRun(directory))).toEqual(reportOf(recorded()));
});

it('the report of a whole run has the same keys when it is read back', () => {
  const run = { ...recorded(), metadata: { ...full, ...nothing, scenario: { ...full.scenario, pauseMs: undefined } } };
  writeFileSync(join(directory, 'recording.json.gz'), encodeRun(run));
  const again = runJson(reportOf(readRecordedRun(directory)));
  expect(again).toStrictEqual(runJson(reportOf(run)));
  expect(again).toMatchObject({ shard: null, aborted: null, cost: null, scenario: { pause_ms: null } });
});

it('a recording of before a metric was counted reads as without it', () => {
  for (const tally of ['resent_frames', 'words_spoken', 'words_wrong'])
    expect(edited((json) => json.replace(`"${tally}":0,`, ''))).toBe('it was read');
  expect(reportOf(readRecordedRun(directory))).toEqual(reportOf(recorded()));
});

describe('a recording that somebody changed', () => {
  const hdr = /"hdr":"[^"]*"/;
  it.each<[string, string | RegExp, string, string]>([
    [
      'a count below 0',
      '"sessions":4',
      '"sessions":-4',
      'tally.sessions: -4 is not a count: a whole number, 0 or more',
    ],
    ['a count that is text', '"sessions":4', '"sessions":"4"', 'tally.sessions: "4" is not a count'],
    ['a count that is huge', '"sessions":4', '"sessions":1e300', 'tally.sessions: 1e+300 is not a count'],
    ['half a session', '"sessions":4', '"sessions":4.5', 'tally.sessions: 4.5 is not a count'],
    ['a count that is missing', '"events":0,', '', 'recording.slices.0.tally.events: is missing; write a count'],
    [
      'more that went well than there was',
      '"sessions_ok":0',
      '"sessions_ok":5',
      'tally.sessions_ok: 5 is more than sessions, 4, of which it is a part',
    ],
    [
      'an unknown stage',
      '"asr":{',
      '"asrr":{',
      'recording.slices.0.stages: unknown key "asrr" (did you mean "asr"?); allowed: capture, window, uplink',
    ],
    [
      'an unknown metric',
      '"feedback_latency":{',
      '"feedback_latencies":{',
      'slices.0.distributions: unknown key "feedback_latencies" (did you mean "feedback_latency"?)',
    ],
    ['no histogram', hdr, '"hdr":"AAAA"', 'feedback_latency.hdr: is not an HdrHistogram, V2, compressed and in base64'],
    [
      'half a histogram',
      /("hdr":".{40})[^"]*"/,
      '$1"',
      'feedback_latency.hdr: is an HdrHistogram that cannot be decom',
    ],
    ['a histogram that is a number', hdr, '"hdr":7', 'feedback_latency.hdr: 7 is not an HdrHistogram in base64'],
    ['fewer than none that never came', '"never":1', '"never":-1', 'feedback_latency.never: -1 is not a count'],
    ['slices that are none', /"slices":\[.*\]/, '"slices":7', 'recording.slices: 7 is not a list'],
    ['a backend without a name', '"name":"managed"', '"name":7', 'recording.backends.0.name: 7 is not a backend'],
    ['half a final', '"finals":7', '"finals":7.5', 'recording.backends.0.counts.finals: 7.5 is not a count'],
    [
      'a slice of nobody',
      '"labels":{"profile":"lte"',
      '"labels":{"profile":""',
      'slices.0.labels.profile: is empty; write a network',
    ],
    [
      'sums that are none',
      '"samplesCubed":1000000',
      '"samplesCubed":null',
      '>= 99%.samplesCubed: null is not a number',
    ],
    ['tails of another length', /"tails":\[\d+,/, '"tails":[', '>= 99%.tails: is not a list of 774 sums, or none'],
    ['no metadata', '"metadata":{', '"metadatum":{', 'metadata: is missing; write a mapping with speechfbVersion'],
    ['no schedule', '"planHash":"0123456789abcdef"', '"planHash":5', 'metadata.scenario.planHash: 5 is not a hash'],
    ['a time that is none', '2026-11-26T09', '2026-99-26T09', 'metadata.startedAt: is not a time such as'],
    ['a shard beyond the last', '"index":1', '"index":3', 'metadata.shard.index: 3 is more than the 2 shards'],
    [
      'a fault of its own',
      '"reconnect"',
      '"flood"',
      'metadata.faults.0.kind: "flood" is not allowed; allowed: reconnect',
    ],
    ['a bad generator', '"busy":0.3', '"busy":true', 'metadata.generators.0.busy: true is not a number, 0 or more'],
    ['an interruption that may be', '"interrupted":false', '"interrupted":0', 'interrupted: 0 is not true or false'],
    [
      'an objective with a slip',
      '"source":"p95(feedback_latency)',
      '"source":"p95(feedback_latncy)',
      'metadata.objectives.0: objective "p95(feedback_latncy) < 500ms" names the unknown metric',
    ],
    ['too many traces', '"tracesSeen":1', '"tracesSeen":0', 'holds 1 traces, but the recording beside it knows of 0'],
    [
      'an older version',
      '"version":5',
      '"version":3',
      'written by an older speechfb: its version is 3, and this one reads 5',
    ],
    [
      'a newer version',
      '"version":5',
      '"version":6',
      'written by a newer speechfb: its version is 6, and this one reads 5',
    ],
    ['no version', '"version":5', '"version":"4"', 'is not a recording of speechfb'],
    ['nothing but null', /^.*$/, 'null', 'is not a recording of speechfb'],
  ])('to have %s is refused as bad_run', (_, before, after, sentence) => {
    const said = edited((json) => {
      const changed = json.replace(before, after);
      expect(changed).not.toBe(json);
      return changed;
    });
    expect(said).toContain(sentence);
    expect(said).toContain('[bad_run]');
    expect(said).toContain('hint: speechfb loadtest --out DIR writes one');
  });

  it('in many places has the first of them named, and the others counted', () => {
    const said = edited((json) => json.replaceAll('":0', '":-1')).split('\n');
    expect(said).toHaveLength(11);
    expect(said[9]).toMatch(/^ {2}and \d+ more$/);
  });

  it('judges by what its objectives say, not by how they were parsed', () => {
    edited((json) => json.replace('"bound":500', '"bound":1'));
    expect(reportOf(readRecordedRun(directory)).objectives[0]).toMatchObject({ bound: 500 });
  });

  it.each<[string, unknown[], string]>([
    ['of no session', [{ ...trace, session: undefined }], 'traces.ndjson.gz:1 does not hold'],
    ['with a time that is none', [{ ...trace, total_ms: null }], 'total_ms: null is not a number, 0 or more'],
    ['with an unknown stage', [{ ...trace, stages: { lunch: 1 } }], 'stages: unknown key "lunch"; allowed: capture'],
    ['that is a list', [[1]], 'is not a mapping with at_ms, session'],
    ['that are not there', [], 'holds 0 traces, but the recording beside it knows of 1'],
  ])('with traces %s is refused as well', (_, traces, sentence) => {
    expect(edited((json) => json, traces)).toContain(sentence);
  });
});
