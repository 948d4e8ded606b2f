import { describe, it } from 'vitest';
import { runGenerator } from '../../../src/load/generator/generator.ts';
import type { FaultPlan } from '../../../src/load/plan/faults.ts';
import type { UtterancePlan } from '../../../src/load/plan/learner-plan.ts';
import { quantile } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { measurementsOf } from '../../../src/results/measurements.ts';
import { namedNetwork } from '../../../src/sim/networks/index.ts';
import type { NetworkProfile } from '../../../src/sim/profile/profile.ts';
import { startFakeServer } from '../../kit/fake-server.ts';
import { framesOf, plansOf, taskOf } from '../../kit/shard.ts';

const ideal = namedNetwork('ideal')!;
const slow = { ...ideal.up, delayUs: 60_000 };
const far: NetworkProfile = { ...ideal, name: 'far', up: slow, down: { ...slow, delayUs: 40_000 } };

describe.concurrent('four learners of two seconds', () => {
  it('on a network of 60 ms up and 40 ms down feel 100 ms more, and know which way it was', async ({ expect }) => {
    const { measured, stages, result } = await run({ network: 'far' });
    expect(result.sessionErrors).toEqual([]);
    expect(quantile(measured.distributions.feedback_latency, 0.5)).toBeGreaterThan(120);
    expect(quantile(stages.uplink, 0.5)).toBeCloseTo(60, -0.5);
    expect(quantile(stages.downlink, 0.5)).toBeCloseTo(40, -0.5);
    expect(measured.distributions.shaping_lateness.samples).toBeGreaterThan(framesPlanned);
    expect(measured.counts.lost_frames.count).toBe(0);
  });

  it('of whom half lose their socket resume, and the fault says when and whom it hit', async ({ expect }) => {
    const { measured, result } = await run({ faults: [{ kind: 'reconnect', atMs: 1000, learners: [1, 3] }] });
    expect(result.faults).toHaveLength(1);
    expect(result.faults[0]).toMatchObject({ kind: 'reconnect', plannedMs: 1000, affected: { learners: 2, of: 2 } });
    expect(result.faults[0]!.atMs).toBeGreaterThanOrEqual(1000);
    expect(measured.distributions.resume_time.samples).toBe(2);
    expect(measured.counts.lost_frames.count).toBe(0);
    expect(measured.shares.session_success).toEqual({ good: 4, total: 4 });
  });

  it('of whom one has its network cut is late by the gap at least, and loses nothing', async ({ expect }) => {
    const cut = { kind: 'cut-network', atMs: 500, forMs: 400, learners: [2] } as const;
    const { measured, result } = await run({ faults: [cut] });
    expect(result.faults[0]).toMatchObject({ kind: 'cut-network', affected: { learners: 1, of: 1 } });
    expect(quantile(measured.distributions.feedback_latency, 1)).toBeGreaterThan(350);
    expect(measured.shares.availability.good).toBe(measured.shares.availability.total);
    expect(measured.counts.lost_frames.count).toBe(0);
  });

  it('whose phones hold back silence send less, and the sample clock runs on', async ({ expect }) => {
    const gate = (one: UtterancePlan): UtterancePlan => (one.frames > 30 ? { ...one, gated: [[10, 20]] } : one);
    const { result, sessions } = await run({ gate });
    expect(result.sessionErrors).toEqual([]);
    const [session] = sessions;
    const jump = session!.frames.findIndex(({ flags }) => flags === 1);
    expect(session!.frames[jump]!.firstSample - session!.frames[jump - 1]!.firstSample).toBe(11 * 320);
    expect(session!.frames[jump]!.seq - session!.frames[jump - 1]!.seq).toBe(1);
  });
});

const plans = plansOf(4);
const framesPlanned = framesOf(plans);

type Asked = { network?: string; faults?: FaultPlan[]; gate?: (utterance: UtterancePlan) => UtterancePlan };

async function run({ network = 'none', faults = [], gate = (one) => one }: Asked) {
  const server = await startFakeServer();
  const result = await runGenerator(
    taskOf(
      plans.map((plan) => ({ ...plan, network, utterances: plan.utterances.map(gate) })),
      { faults, networks: { far }, url: server.url },
    ),
    { signal: new AbortController().signal, onProgress: () => {} },
  );
  await server.close();
  const whole = new Recorder(result.recording).merged();
  return { result, measured: measurementsOf(whole), stages: whole.stages, sessions: [...server.sessions.values()] };
}
