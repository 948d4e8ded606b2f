import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import Table from 'cli-table3';
import type { LearnerPlan, LoadPhase } from '../../src/load/plan/learner-plan.ts';
import { steadyLoad } from '../../src/load/plan/load-profile.ts';
import { planLearners } from '../../src/load/plan/plan.ts';
import type { Clip } from '../../src/load/scenario/clips.ts';
import { startEmbedded } from '../../src/load/service/embedded-server.ts';
import { quantile } from '../../src/metrics/definitions.ts';
import { Recorder } from '../../src/metrics/recorder.ts';
import type { GeneratorResult } from '../../src/results/merge-results.ts';
import { namedNetwork } from '../../src/sim/networks/index.ts';
import { parseObjective } from '../../src/slo/objective/expression.ts';
import { behaviour, readAsPlanned } from '../load/reading.ts';

/**
 * What happens at three times what a server carries: `plain`; `half`: it has one core from the middle on; `neighbour`: a
 * program that does nothing but work has come then; `bad`: 100 of the learners (a fifth of fewer than 500) are on VeryBad.
 */
export const overloadVariants = ['plain', 'half', 'neighbour', 'bad'] as const;
type OverloadVariant = (typeof overloadVariants)[number];

type OverloadOptions = {
  clips: readonly Clip[];
  /** What the server carries, sessions; three times as many come within the ramp. */
  carries: number;
  /** Limits of the server, `name=value`. */
  set: readonly string[];
  rampMs: number;
  durationMs: number;
  variants: readonly OverloadVariant[];
};

/** A row for what it carries, and one for each variant. */
export async function overloadTable(options: OverloadOptions): Promise<string> {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  const calm = await measure({ ...options, learners: options.carries, variant: 'plain' });
  table.push(rowOf('at 1x', calm, undefined));
  if (options.variants.includes('bad')) {
    // What a network loses by itself.
    table.push(rowOf('at 1x, bad', await measure({ ...options, learners: options.carries, variant: 'bad' }), calm));
  }
  for (const variant of options.variants) {
    const surge = await measure({ ...options, learners: 3 * options.carries, variant });
    const row = rowOf(`3x, ${variant}`, surge, calm);
    table.push(row);
    process.stderr.write(`${row.join('  ')}\n`);
  }
  return `${table}\nlatencies in ms, feedback_latency and refusals of those who are on no simulated network; goodput: utterances a second that by themselves met ${objectives.map(({ source }) => source).join(', ')}; back after: seconds from the end of the surge until a
second has a p95 of at most ${calmFactor} times that at 1x (${calmSlackMs} ms more)\n`;
}

const head = [
  'load',
  'admitted',
  'sent away',
  'died',
  'frames lost',
  'p95',
  'p99',
  'refusals',
  'p50',
  'p99',
  'goodput/s',
  'of 1x',
  'back after s',
] as const;

const objectives = ['p95(feedback_latency) <= 500ms', 'p99(feedback_latency) <= 600ms', 'rate(violations) == 0'].map(
  parseObjective,
);
const calmFactor = 1.2;
const calmSlackMs = 20;
/** So long those who stay read on after the surge, a phase each second. */
const afterSeconds = 15;

type Measured = {
  admitted: number;
  sentAway: number;
  /** Sessions and frames, and those of them on a simulated network, which lose some by themselves. */
  died: string;
  lost: string;
  p95: number;
  p99: number;
  refusals: number;
  refusalP50: number;
  refusalP99: number;
  goodputPerSecond: number;
  /** p95 of each second after the surge. */
  afterMs: readonly number[];
};

type Case = OverloadOptions & { learners: number; variant: OverloadVariant };

async function measure(options: Case): Promise<Measured> {
  const { clips, durationMs, variant, set } = options;
  const limits = set.flatMap((limit) => ['--limit', limit]);
  const server = await startEmbedded({
    file: process.execPath,
    args: ['bin/speechfb', 'serve', '--port', '0', '--max-sessions', '2000', '--log-level', 'error', ...limits],
  });
  const disturbance = disturb(variant, server.pid, durationMs / 2);
  try {
    const result = await readAsPlanned({
      clips,
      plans: plansOf(options),
      networks: { [bad]: namedNetwork(bad)! },
      url: server.url,
      retry: { forMs: 2 * durationMs, firstMs: 1000, maxMs: 15_000 },
      objectives,
      loadPhases: phasesOf(durationMs),
      durationMs: durationMs + afterSeconds * 1000,
      // What was said last is on its way for long on a network that is very bad.
      drainMs: variant === 'bad' ? 30_000 : 5000,
      seed: 14,
    });
    // What sessions died of, and how others were refused.
    for (const { text, count } of result.sessionErrors) process.stderr.write(`  ${count} x ${text}\n`);
    return read(result, durationMs);
  } finally {
    disturbance.end();
    await server.stop();
  }
}

const bad = 'VeryBad';

/** Half of what the server carries stays to the end, the rest comes and goes with the surge. */
function plansOf({ clips, carries, learners, rampMs, durationMs, variant }: Case): LearnerPlan[] {
  const staying = Math.round(carries / 2);
  const plan = (count: number, untilMs: number, seed: number) =>
    planLearners({ shape: steadyLoad(count, rampMs, untilMs), behaviour, seed, clips });
  const stay = plan(staying, durationMs + afterSeconds * 1000, 1);
  const surge = plan(learners - staying, durationMs, 2);
  const all = [...stay, ...surge].map((one, learner) => ({ ...one, learner }));
  const onBad = variant === 'bad' ? Math.min(100, Math.round(learners / 5)) : 0;
  const every = onBad === 0 ? Number.POSITIVE_INFINITY : Math.floor(all.length / onBad);
  return all.map((one) => (one.learner % every === 0 && onBad > 0 ? { ...one, network: bad } : one));
}

function phasesOf(durationMs: number): LoadPhase[] {
  const after = Array.from({ length: afterSeconds }, (_, second) => ({
    name: `after ${second}`,
    beginMs: durationMs + second * 1000,
    endMs: durationMs + (second + 1) * 1000,
  }));
  return [{ name: 'surge', beginMs: 0, endMs: durationMs }, ...after];
}

function read({ recording }: GeneratorResult, durationMs: number): Measured {
  using recorder = new Recorder(recording);
  using whole = recorder.merged();
  using direct = recorder.merged({ profile: 'direct' });
  using surge = recorder.merged({ profile: 'direct', phase: 'surge' });
  using everybody = recorder.merged({ phase: 'surge' });
  const { sessions, sessions_refused, sessions_sent_away, sessions_died, lost_frames, refusals } = whole.tally;
  const felt = (p: number) => quantile(surge.distributions.feedback_latency, p) ?? Number.NaN;
  const refused = (p: number) => quantile(direct.distributions.refusal_time, p) ?? Number.NaN;
  const afterMs = Array.from({ length: afterSeconds }, (_, second) => {
    using slice = recorder.merged({ profile: 'direct', phase: `after ${second}` });
    return quantile(slice.distributions.feedback_latency, 0.95) ?? Number.POSITIVE_INFINITY;
  });
  return {
    admitted: sessions - sessions_refused,
    sentAway: sessions_sent_away,
    died: apart(direct.tally.sessions_died, sessions_died),
    lost: apart(direct.tally.lost_frames, lost_frames),
    p95: felt(0.95),
    p99: felt(0.99),
    refusals,
    refusalP50: refused(0.5),
    refusalP99: refused(0.99),
    goodputPerSecond: everybody.tally.utterances_good / (durationMs / 1000),
    afterMs,
  };
}

function apart(direct: number, all: number): string {
  return all === direct ? `${all}` : `${direct}, ${all - direct} on ${bad}`;
}

function rowOf(load: string, it: Measured, calm: Measured | undefined): (string | number)[] {
  const ms = (value: number) => (Number.isNaN(value) ? '' : value.toFixed(0));
  const normalMs = (calm?.p95 ?? it.p95) * calmFactor + calmSlackMs;
  const back = it.afterMs.findIndex((p95) => p95 <= normalMs);
  const share = calm ? `${((100 * it.goodputPerSecond) / calm.goodputPerSecond).toFixed(0)} %` : '';
  return [
    load,
    it.admitted,
    it.sentAway,
    it.died,
    it.lost,
    ms(it.p95),
    ms(it.p99),
    it.refusals,
    ms(it.refusalP50),
    ms(it.refusalP99),
    it.goodputPerSecond.toFixed(2),
    share,
    back < 0 ? `> ${afterSeconds}` : back + 1,
  ];
}

/** Takes a core from the server at `atMs` after the call, by force or by working beside it. */
function disturb(variant: OverloadVariant, pid: number, atMs: number): { end(): void } {
  let neighbour: ChildProcess | undefined;
  const act = () => {
    if (variant === 'neighbour') neighbour = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
    else if (spawnSync('taskset', ['-a', '-c', '-p', '0', `${pid}`]).status !== 0)
      process.stderr.write(
        'taskset could not hold the server to one core: this row says nothing of half a processor\n',
      );
  };
  const timer = variant === 'half' || variant === 'neighbour' ? setTimeout(act, atMs) : undefined;
  return {
    end() {
      clearTimeout(timer);
      neighbour?.kill('SIGKILL');
    },
  };
}
