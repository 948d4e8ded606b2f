import { describe, it } from 'vitest';
import { type GeneratorTask, runGenerator } from '../../../src/load/generator/generator.ts';
import { type Distribution, quantile } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { measurementsOf } from '../../../src/results/measurements.ts';
import type { GeneratorResult } from '../../../src/results/merge-results.ts';
import { parseObjective } from '../../../src/slo/objective/expression.ts';
import { judge, overall } from '../../../src/slo/objective/verdict.ts';
import { type FakeOptions, startFakeServer } from '../../kit/fake-server.ts';
import { framesOf, plansOf, taskOf } from '../../kit/shard.ts';

describe.concurrent('four learners of two seconds', () => {
  it('are heard by a good server: every slot answered, every frame acknowledged, all sessions well', async ({
    expect,
  }) => {
    const { measured, tally, result } = await run({});
    expect(tally).toMatchObject({ sessions: 4, sessions_ok: 4, sessions_refused: 0, sessions_died: 0, violations: 0 });
    expect(tally.lost_frames).toBe(0);
    expect(tally.frames_sent).toBe(framesPlanned);
    expect(measured.shares.availability).toEqual({ good: slotsPlanned, total: slotsPlanned });
    // From the first sample of a frame: no answer can be sooner than the frame is long.
    expect(quantile(measured.distributions.feedback_latency, 0.01)).toBeGreaterThanOrEqual(20);
    expect(measured.distributions.phoneme_final_latency.samples).toBe(slotsPlanned);
    expect(result.sessionErrors).toEqual([]);
    expect(result.traces).toHaveLength(slotsPlanned);
    for (const { total_ms, stages } of result.traces) {
      const sum = Object.values(stages).reduce((total, ms) => total + ms, 0);
      expect(sum).toBeCloseTo(total_ms, 0);
    }
    expect(result.generators[0]!.busy).toBeGreaterThan(0);
  });

  it('who are all refused make every due feedback infinite, and never pass', async ({ expect }) => {
    const { measured, tally, verdict, result } = await run({ refuse: 'server_busy' });
    expect(tally).toMatchObject({ sessions: 4, sessions_refused: 4, sessions_ok: 0, frames_sent: 0 });
    expect(measured.shares.availability).toEqual({ good: 0, total: slotsPlanned });
    expect(never(measured.distributions.connect_time)).toBe(4);
    expect(verdict).toBe('fail');
    expect(result.sessionErrors.map(({ text }) => text)).toContain('server_busy: no room');
  });

  it('who are refused at first come again, and owe an answer only to what they said then', async ({ expect }) => {
    // A learner begins to speak 300 ms after arriving, and asks again 350 to 700 ms after a refusal.
    const retry = { forMs: 1500, firstMs: 700, maxMs: 700 };
    const { measured, tally } = await run({ busyTimes: 3 }, { retry });
    expect(tally).toMatchObject({ sessions: 4, sessions_ok: 4, sessions_refused: 0, refusals: 3, violations: 0 });
    expect(measured.distributions.refusal_time).toMatchObject({ samples: 3, never: 0 });
    expect(measured.distributions.connect_time).toMatchObject({ samples: 4, never: 0 });
    // Three of four first utterances were never spoken.
    expect(tally.utterances_due).toBe(utterancesPlanned - 3);
    expect(measured.shares.availability.good).toBe(measured.shares.availability.total);
    expect(measured.shares.availability.total).toBeLessThan(slotsPlanned);
  });

  it('who are never let in were refused each time, and said nothing', async ({ expect }) => {
    const retry = { forMs: 1500, firstMs: 100, maxMs: 100 };
    const { measured, tally } = await run({ refuse: 'server_busy' }, { retry });
    // The server asks for five seconds, which nobody has.
    expect(tally).toMatchObject({ sessions: 4, sessions_refused: 4, refusals: 4, frames_sent: 0, utterances_due: 0 });
    expect(measured.shares.availability).toEqual({ good: 0, total: 0 });
  });

  it('with nobody listening fail', async ({ expect }) => {
    const { tally, verdict, result } = await run({}, { url: 'ws://127.0.0.1:9/v1/stream' });
    expect(tally).toMatchObject({ sessions_refused: 4 });
    expect(verdict).toBe('fail');
    expect(result.sessionErrors[0]?.text).toContain('ECONNREFUSED');
  });

  it('whom a mute server never answers wait for the drain, and count as infinite', async ({ expect }) => {
    const { measured, tally, verdict } = await run({ mute: true });
    expect(measured.shares.availability.good).toBe(0);
    expect(never(measured.distributions.final_latency)).toBe(utterancesPlanned);
    expect(never(measured.distributions.first_partial)).toBe(utterancesSpoken);
    expect(tally.sessions_died).toBe(4);
    expect(verdict).toBe('fail');
  });

  it('whose sockets are cut resume: nothing is lost, nothing repeated', async ({ expect }) => {
    const { measured, tally, sessions } = await run({ cutAtSeq: 30 });
    expect(tally).toMatchObject({ sessions_ok: 4, lost_frames: 0, violations: 0 });
    expect(tally.resent_frames).toBeGreaterThan(0);
    expect(measured.distributions.resume_time.samples).toBe(4);
    expect(measured.shares.availability.good).toBe(slotsPlanned);
    for (const session of sessions) {
      const seqs = session.received.filter((entry) => typeof entry === 'number');
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
      expect(new Set(seqs).size).toBe(seqs.length);
    }
  });

  it.for([
    { type: 'finalize', acted: false },
    { type: 'finalize', acted: true },
    { type: 'next_utterance', acted: false },
    { type: 'next_utterance', acted: true },
  ] as const)('whose sockets are cut at %o get each final once', async (cutOn, { expect }) => {
    const { measured, tally, sessions } = await run({ cutOn });
    expect(tally).toMatchObject({ sessions_ok: 4, lost_frames: 0, violations: 0, utterances: utterancesPlanned });
    expect(measured.shares.availability.good).toBe(slotsPlanned);
    for (const session of sessions) {
      expect(session.received.filter((entry) => entry === 'next_utterance')).toHaveLength(1);
    }
  });

  it('who die half way owe the rest', async ({ expect }) => {
    const { measured, tally } = await run({ dieAtSeq: 50 });
    expect(tally.sessions_died).toBe(4);
    expect(measured.shares.availability.good).toBe(40);
    expect(measured.shares.availability.total).toBe(slotsPlanned);
  });

  it.for([
    ['a second final', { doubleFinal: true }, 'violations', 'a second utterance_final'],
    ['frames that are never acknowledged', { ackUpTo: 10 }, 'lost_frames', undefined],
  ] as const)('notice %s', async ([, options, count, trouble], { expect }) => {
    const { tally, result } = await run(options);
    expect(tally[count]).toBeGreaterThan(0);
    if (trouble) expect(result.sessionErrors.map(({ text }) => text)).toContain(trouble);
  });

  it('stop at once when told to, and owe nothing of the last second', async ({ expect }) => {
    const stop = new AbortController();
    const { measured, tally } = await run({ mute: true }, {}, stop);
    expect(tally.sessions).toBe(0);
    expect(measured.distributions.feedback_latency.samples).toBe(0);
  });
});

const plans = plansOf(4);
const utterancesPlanned = plans.flatMap((plan) => plan.utterances).length;
const utterancesSpoken = plans.flatMap((plan) => plan.utterances).filter(({ frames }) => frames >= 25).length;
const framesPlanned = framesOf(plans);
const slotsPlanned = plans
  .flatMap((plan) => plan.utterances)
  .reduce((sum, { frames }) => sum + Math.floor(frames / 5), 0);

function never(distribution: Distribution): number {
  const ranks = Array.from({ length: distribution.samples }, (_, i) => i + 1);
  return ranks.filter((rank) => distribution.valueAtRank(rank) === Number.POSITIVE_INFINITY).length;
}

async function run(options: FakeOptions, changes: Partial<GeneratorTask> = {}, stop?: AbortController) {
  const server = await startFakeServer(options);
  // Good sessions end when they have their finals; a busy machine may need its time for that.
  const task = taskOf(plans, { url: server.url, drainMs: options.mute ? 1000 : 20_000, ...changes });
  const signal = (stop ?? new AbortController()).signal;
  const result: GeneratorResult = await runGenerator(task, { signal, onProgress: () => stop?.abort() });
  await server.close();
  const recorder = new Recorder(result.recording).merged();
  const measured = measurementsOf(recorder);
  const objective = judge(parseObjective('p95(feedback_latency) < 500ms'), measured);
  return {
    result,
    tally: recorder.tally,
    measured,
    verdict: overall([objective]),
    sessions: [...server.sessions.values()],
  };
}
