import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { LiveRun } from '../../../src/load/generator/live-run.ts';
import { ProgressReported } from '../../../src/load/generator/progress.ts';
import { histogramsReady } from '../../../src/metrics/histogram.ts';
import { LiveSlice, LiveView } from '../../../src/metrics/live-slice.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { Slice } from '../../../src/metrics/slice.ts';
import { parseObjective } from '../../../src/slo/objective/expression.ts';

beforeAll(histogramsReady);

describe('the latencies of a running test', () => {
  const latencies = fc.array(fc.double({ min: 0.001, max: 3_000_000, noNaN: true }), { minLength: 1 });

  it('are known at every rank to 0.1 %, never above the sample, and infinity, wherever the looks were', () => {
    fc.assert(
      fc.property(latencies, fc.nat(), fc.nat(3), (values, cut, never) => {
        using slice = new Slice(labels);
        const live = new LiveSlice(labels);
        values.forEach((value, i) => {
          slice.record('feedback_latency', value);
          if (i === cut % values.length) live.add(slice.look());
        });
        slice.showNever('feedback_latency', never);
        live.add(slice.look());
        const nothing = slice.look();
        expect(nothing).toEqual({ labels, series: [], tally: {} });
        const found = live.of('feedback_latency');
        expect(found.samples).toBe(values.length + never);
        const us = values.map((value) => Math.round(value * 1000) / 1000).sort((a, b) => a - b);
        us.forEach((value, i) => {
          expect(found.valueAtRank(i + 1)).toBeLessThanOrEqual(value);
          expect(found.valueAtRank(i + 1)).toBeGreaterThanOrEqual(value * 0.999);
        });
        if (never > 0) expect(found.valueAtRank(found.samples)).toBe(Number.POSITIVE_INFINITY);
        const mean = us.reduce((sum, ms) => sum + ms, 0) / us.length;
        expect(found.meanMs).toBeLessThanOrEqual(mean * (1 + 1e-9));
        expect(found.meanMs).toBeGreaterThanOrEqual(mean * 0.999);
      }),
      { numRuns: 50 },
    );
  });

  it('of several slices are those of all, and none is changed', () => {
    const slices = [[5, 10], [20], []].map((values) => {
      const live = new LiveSlice(labels);
      live.add({ labels, series: [fresh(values.map((ms) => [1, ms]))], tally: {} });
      return live;
    });
    const sum = new LiveView(slices).of('feedback_latency');
    expect([1, 2, 3].map((rank) => sum.valueAtRank(rank))).toEqual([5, 10, 20].map((ms) => expect.closeTo(ms, 1)));
    expect(slices.map((slice) => slice.of('feedback_latency').samples)).toEqual([2, 1, 0]);
  });
});

const silent = { leaveMs: 10_000, network: 'none', language: 'en-US', utterances: [] };

function liveRun(
  sources: readonly string[],
  abort = { abortOnFail: false, delayMs: 0 },
  billed?: { perAudioMinute: number; most: number; frameMs: number },
) {
  const objectives = sources.map((source) => ({ ...parseObjective(source), ...abort }));
  return new LiveRun({
    objectives,
    plannedSessions: 4,
    durationMs: 10_000,
    warmupMs: 0,
    prices: { server: 36, servers: 1 },
    billed,
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
    for (const { told } of generators) live.add(told.take(elapsedMs, 0));
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
  for (const { recorder } of generators) recorder[Symbol.dispose]();
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

  it.each([
    ['spares what lies in the slot of its bound, a thousandth wide', 500.2, undefined],
    ['sees what lies in the next one', 500.3, '1000 of 1000 missed'],
  ])('%s', (_, ms, reason) => {
    const live = liveRun(['p95(feedback_latency) <= 500ms'], { abortOnFail: true, delayMs: 0 });
    live.add(told(1000, [[1000, ms]]));
    expect(live.abortNow()?.reason).toBe(reason);
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

describe('a test that may cost so much', () => {
  const billed = { perAudioMinute: 1, most: 0.5, frameMs: 20 };

  it('is ended once the sound of all generators has cost more, in whatever it was sent', () => {
    const live = liveRun([], { abortOnFail: false, delayMs: 0 }, billed);
    // 1,500 frames of 20 ms are half a minute.
    live.add({ ...told(4000, []), framesSent: 1000 });
    live.add({ ...told(4000, []), framesSent: 500 });
    expect(live.abortNow()).toBeUndefined();
    live.add({ ...told(4500, []), framesSent: 150 });
    expect(live.abortNow()).toEqual({
      objective: 'cost.most',
      atMs: 4500,
      reason: 'the sound sent has cost $0.550, and $0.500 is the most',
    });
  });

  it('is told by each generator what it sent since it last told', () => {
    using recorder = new Recorder();
    const told = new ProgressReported([], recorder);
    expect([100, 250, 250].map((sent) => told.take(1000, sent).framesSent)).toEqual([100, 150, 0]);
  });
});

const labels = { profile: 'lte', language: 'en-US' };

function told(elapsedMs: number, latencies: readonly (readonly [count: number, ms: number])[]) {
  const series = latencies.length > 0 ? [fresh(latencies)] : [];
  return { elapsedMs, arrived: 0, ended: 0, framesSent: 0, slices: [{ labels, series, tally: {} }] };
}

function fresh(latencies: readonly (readonly [count: number, ms: number])[]) {
  const counts = Uint32Array.from(latencies.flatMap(([count, ms]) => [Math.round(ms * 1000), count]));
  return { name: 'feedback_latency' as const, counts, never: 0 };
}
