import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { NetworkProfile } from '../sim/profile.ts';
import type { Objective } from '../slo/expression.ts';
import type { Clip } from './clips.ts';
import type { FaultPlan } from './faults-plan.ts';
import { histogramsReady } from './histogram.ts';
import { Learner } from './learner.ts';
import type { LearnerPlan, LoadStage } from './plan.ts';
import { Recorder, type Recording } from './recorder.ts';
import { ProgressTold, type ShardProgress } from './shard-progress.ts';
import { socketLinks } from './socket-link.ts';
import { type Trace, TraceSink } from './traces.ts';
import { type Clock, onGrid, slotMs } from './wheel.ts';
import { startWheels } from './wheels.ts';

/** One generator's share of a test: plain data, so that it crosses a thread or a machine. */
export type ShardTask = {
  plans: readonly LearnerPlan[];
  /** In order of time; only those that hit learners of `plans` or the server. */
  faults: readonly FaultPlan[];
  /** Every network that `plans` name, but `none`. */
  networks: Readonly<Record<string, NetworkProfile>>;
  clips: readonly Clip[];
  url: string;
  token: string | undefined;
  tls: TlsOptions | undefined;
  frameMs: number;
  emitIntervalMs: number;
  /** Samples that were due before this are of the warm-up. */
  warmupMs: number;
  durationMs: number;
  /** How long the last finals may take after the learners stop. */
  drainMs: number;
  seed: number;
  /** What is judged, so that each utterance and each session can be held against it while it runs. */
  objectives?: readonly Objective[];
  /** The load's shape by name; empty when it has none. */
  loadStages: readonly LoadStage[];
  /** Wall clock, ms since 1970, of the plan's 0, which shards agree on; undefined: as soon as may be. */
  startAtEpochMs: number | undefined;
};

/** How a wss:// server is trusted: a PEM certificate authority beside the system's, or nobody asked. */
export type TlsOptions = { ca?: string; insecure?: true };

export type ShardResult = {
  recording: Recording;
  traces: Trace[];
  generator: GeneratorHealth;
  /** What went wrong in sessions, and how often. */
  troubles: { text: string; count: number }[];
  elapsedMs: number;
};

/** Whether the generator itself kept up. */
export type GeneratorHealth = {
  /** Share of the time that its thread was busy, 0-1. */
  busy: number;
  /** How late its event loop ran timers, ms. */
  loopDelayP99Ms: number;
};

export type ShardHooks = { onProgress(progress: ShardProgress): void; signal: AbortSignal };

/** Runs the learners of one shard on this thread, on one timer wheel, until all sessions are over or the drain is. */
export async function runShard(task: ShardTask, hooks: ShardHooks): Promise<ShardResult> {
  await histogramsReady();
  const clock: Clock = () => performance.now();
  const recorder = new Recorder();
  const traces = new TraceSink(traceLimit, task.seed);
  const troubles = new Map<string, number>();
  const wheels = startWheels(clock);
  const waitMs = task.startAtEpochMs === undefined ? 0 : task.startAtEpochMs - Date.now();
  const startMs = onGrid(clock() + Math.max(20, waitMs));
  const note = (text: string) => {
    if (!hooks.signal.aborted) troubles.set(text, (troubles.get(text) ?? 0) + 1);
  };
  const open = socketLinks(task, clock);
  const context = { ...task, open, startMs, clock, timers: wheels.timers, recorder, traces, onTrouble: note };
  const learners = task.plans.map((plan) => new Learner(plan, context));
  const delay = monitorEventLoopDelay({ resolution: slotMs });
  delay.enable();
  const utilization = performance.eventLoopUtilization();
  const progress = new ProgressTold(task.plans, recorder);
  for (const learner of learners) learner.done.then(() => progress.sessionEnded());

  const report = setInterval(() => {
    for (const learner of learners) learner.tick(clock());
    hooks.onProgress(progress.take(clock() - startMs));
  }, 500);
  const interrupted = await over(learners, task, startMs, clock, hooks.signal);
  clearInterval(report);
  const elapsedMs = clock() - startMs;
  const { utilization: busy } = performance.eventLoopUtilization(utilization);
  delay.disable();
  wheels.stop();

  // A stop from outside leaves the last second's answers on their way: they are owed, not missing.
  const untilMs = interrupted ? startMs + elapsedMs - 1000 : Number.POSITIVE_INFINITY;
  for (const learner of learners) learner.finish(untilMs, interrupted);
  hooks.onProgress(progress.take(elapsedMs));
  const result: ShardResult = {
    recording: recorder.encode(),
    traces: traces.taken(),
    generator: { busy, loopDelayP99Ms: delay.percentile(99) / 1e6 },
    troubles: [...troubles].map(([text, count]) => ({ text, count })).sort((a, b) => b.count - a.count),
    elapsedMs,
  };
  recorder.destroy();
  return result;
}

/** Waits for every session's end, at most until the drain is over; true when stopped from outside before. */
async function over(
  learners: readonly Learner[],
  task: ShardTask,
  startMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const drained = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), startMs + task.durationMs + task.drainMs - clock());
  });
  const stopped = new Promise<boolean>((resolve) => {
    if (signal.aborted) resolve(true);
    signal.addEventListener('abort', () => resolve(true), { once: true });
  });
  const finished = Promise.all(learners.map((learner) => learner.done)).then(() => false);
  const interrupted = await Promise.race([finished, drained, stopped]);
  clearTimeout(timer);
  return interrupted;
}

/** Traces that one shard keeps. */
const traceLimit = 20_000;
