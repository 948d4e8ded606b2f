import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { LiveRun } from '../../../src/load/generator/live-run.ts';
import { ProgressReported } from '../../../src/load/generator/progress.ts';
import { histogramsReady } from '../../../src/metrics/histogram.ts';
import { LiveDigest } from '../../../src/metrics/live-digest.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { parseObjective } from '../../../src/slo/objective/expression.ts';

beforeAll(histogramsReady);

describe('a live digest', () => {
  const latencies = fc.array(fc.double({ min: 0.001, max: 3_000_000, noNaN: true }), { minLength: 1 });

  it('knows every rank to 1.6 %, never above the sample, and infinity', () => {
    fc.assert(
      fc.property(latencies, fc.nat(3), (values, never) => {
        const digest = new LiveDigest();
        for (const value of values) digest.record(value);
        digest.recordNever(never);
        expect(digest.samples).toBe(values.length + never);
        const sorted = [...values].sort((a, b) => a - b);
        sorted.forEach((value, i) => {
          const found = digest.valueAtRank(i + 1);
          expect(found).toBeLessThanOrEqual(value * (1 + 1e-6));
          expect(found).toBeGreaterThanOrEqual(value * 0.984);
        });
        if (never > 0) expect(digest.valueAtRank(digest.samples)).toBe(Number.POSITIVE_INFINITY);
      }),
      { numRuns: 50 },
    );
  });

  it('is the same in the sum of its deltas, wherever they are cut', () => {
    fc.assert(
      fc.property(latencies, fc.nat(), (values, cut) => {
        const digest = new LiveDigest();
        const sum = new LiveDigest();
        values.forEach((value, i) => {
          digest.record(value);
          if (i % 3 === 0) digest.recordNever(1);
          if (i === cut % values.length) sum.add(digest.takeDelta()!);
        });
        const rest = digest.takeDelta();
        if (rest) sum.add(rest);
        expect(digest.takeDelta()).toBeUndefined();
        for (let rank = 1; rank <= digest.samples; rank++) expect(sum.valueAtRank(rank)).toBe(digest.valueAtRank(rank));
        expect(sum.samples).toBe(digest.samples);
        expect(sum.meanMs).toBeCloseTo(digest.meanMs, 6);
      }),
      { numRuns: 50 },
    );
  });
});

const silent = { leaveMs: 10_000, network: 'none', language: 'en-US', utterances: [] };

function liveRun(sources: readonly string[], abort = { abortOnFail: false, delayMs: 0 }) {
  const objectives = sources.map((source) => ({ ...parseObjective(source), ...abort }));
  return new LiveRun({
    objectives,
    plannedSessions: 4,
    durationMs: 10_000,
    warmupMs: 0,
    prices: { server: 36, servers: 1 },
  });
}

it('a running test adds up what its generators tell: sessions, latencies by stage and profile, verdicts so far', () => {
  const live = liveRun(['p95(feedback_latency){profile=lte} < 500ms', 'availability{profile=LTE} >= 90%']);
  const generators = [0, 1].map((shard) => {
    const recorder = new Recorder();
    const plans = [0, 1].map((i) => ({ ...silent, learner: shard * 2 + i, arrivalMs: i * 3000 }));
    return { recorder, told: new ProgressReported(plans, recorder) };
  });
  const speak = (ms: number) => {
    for (const { recorder } of generators) {
      for (const profile of ['lte', 'wifi']) {
        const slice = recorder.slice({ profile, language: 'en-US' });
        for (let i = 0; i < 50; i++) slice.record('feedback_latency', profile === 'lte' ? ms : 10);
        slice.tally.utterances += 1;
      }
    }
  };
  const tell = (elapsedMs: number) => {
    for (const { told } of generators) live.add(told.take(elapsedMs));
    return live.look();
  };
  speak(100);
  generators[0]!.told.sessionEnded();
  const early = tell(1000);
  expect(early.sessions).toMatchObject({ planned: 4, arrived: 2, ended: 1 });
  expect(early).toMatchObject({ elapsedMs: 1000, leftMs: 9000, samples: 200, utterances: 4 });
  expect(early.objectives.map(({ verdict }) => verdict)).toEqual(['pass', 'pass']);
  speak(1000);
  const late = tell(4000);
  expect(late.sessions).toMatchObject({ arrived: 4, ended: 1 });
  expect(late.objectives[0]).toMatchObject({ verdict: 'fail', samples: 200, misses: 100 });
  expect(late.profiles.map(({ profile }) => profile)).toEqual(['lte', 'wifi']);
  expect(late.profiles[1]).toMatchObject({ samples: 200, p95Ms: expect.closeTo(10, 0) });
  expect(late.recentP95Ms).toBeGreaterThan(980);
  expect(early.recentP95Ms).toBeLessThan(101);
  for (const { recorder } of generators) recorder.destroy();
});

describe('an objective that may end the test', () => {
  it.each([
    ['waits for its delay', 4000, [[1000, 900]], undefined],
    ['ends it when it is missed for certain', 5000, [[1000, 900]], '1000 of 1000 missed'],
    [
      'does not at an unlucky moment',
      5000,
      [
        [943, 10],
        [57, 900],
      ],
      undefined,
    ],
    [
      'does when a good server would do as badly once in a thousand times',
      5000,
      [
        [925, 10],
        [75, 900],
      ],
      '75 of 1000 missed',
    ],
    ['does not before enough has come', 5000, [[1, 900]], undefined],
    ['does not while all is well', 5000, [[1000, 10]], undefined],
    ['does not without data', 5000, [], undefined],
  ] as const)('%s', (_, elapsedMs, latencies, reason) => {
    const live = liveRun(['p95(feedback_latency) < 500ms'], { abortOnFail: true, delayMs: 5000 });
    live.add(told(elapsedMs, latencies));
    expect(live.abortNow()).toEqual(
      reason === undefined ? undefined : { objective: 'p95(feedback_latency) < 500ms', atMs: elapsedMs, reason },
    );
  });

  it('spares what lies in the bucket of its bound, 1.6 % wide', () => {
    const live = liveRun(['p95(feedback_latency) <= 500ms'], { abortOnFail: true, delayMs: 0 });
    live.add(told(1000, [[1000, 503]]));
    expect(live.abortNow()).toBeUndefined();
  });

  it('on a count ends it at the first', () => {
    const live = liveRun(['rate(violations) == 0'], { abortOnFail: true, delayMs: 0 });
    live.add({ ...told(500, []), slices: [{ labels, series: [], tally: { events: 10 } }] });
    expect(live.abortNow()).toBeUndefined();
    live.add({ ...told(1000, []), slices: [{ labels, series: [], tally: { events: 10, violations: 1 } }] });
    expect(live.abortNow()).toMatchObject({ reason: '1 of 20 missed' });
  });

  it('on money counts all that was spent so far', () => {
    const live = liveRun(['cost_per_audio_minute <= $0.10'], { abortOnFail: true, delayMs: 0 });
    // $36 an hour is a cent a second: five cents for half a minute of sound.
    live.add({ ...told(5000, []), slices: [{ labels, series: [], tally: { sound_served_ms: 30_000 } }] });
    expect(live.look().objectives[0]).toMatchObject({ verdict: 'pass', value: expect.closeTo(0.1, 9) });
    live.add(told(5500, []));
    expect(live.abortNow()).toMatchObject({ reason: '$0.0550 for 0.5 minutes of sound' });
  });
});

const labels = { profile: 'lte', language: 'en-US' };

function told(elapsedMs: number, latencies: readonly (readonly [count: number, ms: number])[]) {
  const digest = new LiveDigest();
  for (const [count, ms] of latencies) for (let i = 0; i < count; i++) digest.record(ms);
  const delta = digest.takeDelta();
  const series = delta ? [{ name: 'feedback_latency' as const, delta }] : [];
  return { elapsedMs, arrived: 0, ended: 0, slices: [{ labels, series, tally: {} }] };
}
