import { beforeAll, describe, expect, it } from 'vitest';
import { runGenerator } from '../../../src/load/generator/generator.ts';
import type { FaultPlan } from '../../../src/load/plan/faults.ts';
import { histogramsReady } from '../../../src/metrics/histogram.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { measurementsOf } from '../../../src/results/measurements.ts';
import { serve } from '../../kit/server/serve.ts';
import { framesOf, plansOf, taskOf, toneClip } from '../../kit/shard.ts';

beforeAll(histogramsReady);

const clip = { ...toneClip, text: 'abcde fghij' };
const plans = plansOf(4, { durationMs: 3000, clip });
const framesPlanned = framesOf(plans);

async function run(fault: FaultPlan, more: FaultPlan[] = []) {
  const server = await serve();
  const result = await runGenerator(
    taskOf(plans, {
      faults: [fault, ...more],
      clips: [clip],
      url: server.url,
      durationMs: 3000,
      drainMs: 20_000,
    }),
    { signal: new AbortController().signal, onProgress: () => {} },
  );
  const whole = new Recorder(result.recording).merged();
  return { result, tally: whole.tally, measured: measurementsOf(whole) };
}

describe('learners whose apps lose frames', () => {
  const learners = plans.map(({ learner }) => learner);
  const half: FaultPlan = { kind: 'drop-messages', learners, forMs: 600, share: 0.5, atMs: 800 };

  it('are heard around the gaps: the app counts what it lost, and the server lost nothing', async () => {
    const { result, tally, measured } = await run(half);
    // Four learners of 50 frames a second, for 600 ms: 120 frames are due, less those in pauses.
    expect(tally.lost_by_app).toBeGreaterThan(25);
    expect(tally.lost_by_app).toBeLessThan(95);
    expect(tally).toMatchObject({ sessions_ok: 4, lost_frames: 0, dropped_by_app: 0, resent_frames: 0, violations: 0 });
    expect(tally.frames_sent).toBe(framesPlanned - tally.lost_by_app);
    expect(tally.frames_acked).toBe(tally.frames_sent);
    expect(measured.counts.lost_by_app).toEqual({ count: tally.lost_by_app, of: framesPlanned });
    expect(result.sessionErrors).toEqual([]);
    expect(result.faults).toMatchObject([{ kind: 'drop-messages', plannedMs: 800, affected: { learners: 4, of: 4 } }]);
    expect(result.faults[0]!.untilMs! - result.faults[0]!.atMs).toBeCloseTo(600, 6);
  });

  it('lose the same number in a run of the same seed, and nobody else loses any', async () => {
    const [one, other] = await Promise.all([run({ ...half, learners: [1] }), run({ ...half, learners: [1] })]);
    expect(one.tally.lost_by_app).toBe(other.tally.lost_by_app);
    expect(one.tally.lost_by_app).toBeLessThan(25);
  });

  it('make the server wait for what is missing, which feedback after the gap feels', async () => {
    const { measured } = await run({ ...half, share: 0.1, forMs: 2000 });
    const { feedback_latency } = measured.distributions;
    // A missing frame is waited for 120 ms at first, 40 ms at least.
    expect(feedback_latency.valueAtRank(Math.ceil(feedback_latency.samples * 0.9))).toBeGreaterThan(60);
  });

  it('resume in the middle of it: what is lost is not sent again', async () => {
    const reconnect: FaultPlan = { kind: 'reconnect', learners, atMs: 1100 };
    const { tally } = await run(half, [reconnect]);
    expect(tally).toMatchObject({ sessions_ok: 4, lost_frames: 0, violations: 0 });
    expect(tally.frames_sent).toBe(framesPlanned - tally.lost_by_app);
  });
});
