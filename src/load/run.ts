import { arch, cpus, platform, release, totalmem } from 'node:os';
import type { LoadProgress } from '../report/progress.ts';
import type { LoadReport } from '../report/report.ts';
import { judge, overall } from '../slo/verdict.ts';
import { type EmbeddedServer, type ServeCommand, startEmbedded } from './embedded.ts';
import { histogramsReady } from './histogram.ts';
import { measurementsOf, summarise } from './measurements.ts';
import type { PreparedLoad } from './prepare.ts';
import { Recorder, type Recording } from './recorder.ts';
import type { LoadScenario } from './scenario.ts';
import type { ShardHooks, ShardResult, ShardTask } from './shard.ts';
import type { Trace } from './traces.ts';
import { checkValidity } from './validity.ts';

export type LoadOptions = {
  scenario: LoadScenario;
  prepared: PreparedLoad;
  /** Wall clock, ms since 1970, at which the learners begin; undefined: as soon as may be. */
  startAtEpochMs: number | undefined;
  /** Starts the server of a scenario without a URL. */
  serve: ServeCommand;
  version: string;
  generate(task: ShardTask, hooks: ShardHooks): Promise<ShardResult>;
};

export type LoadHooks = {
  /** What is being done, in a few words. */
  onPhase(phase: string): void;
  onProgress(progress: LoadProgress): void;
  /** Aborted: learners stop at once and what was measured so far is reported. */
  signal: AbortSignal;
  /** The embedded server is up; `kill` ends it without ceremony. */
  onServer?(server: EmbeddedServer): void;
};

export type LoadOutcome = { report: LoadReport; recording: Recording; traces: Trace[] };

/** Runs one prepared scenario: server, load, measurements, verdicts. */
export async function runLoad(options: LoadOptions, hooks: LoadHooks): Promise<LoadOutcome> {
  const { spec } = options.scenario;
  const { prepared } = options;
  await histogramsReady();
  const server = await startTarget(options, hooks);
  const startedAt = new Date();
  try {
    hooks.onPhase('learners are speaking');
    const result = await options.generate(
      {
        plans: prepared.plans,
        faults: prepared.faults,
        networks: prepared.networks,
        clips: prepared.clips,
        url: server?.url ?? spec.target.url!,
        token: prepared.token,
        tls: prepared.tls,
        frameMs: spec.learners.frame,
        emitIntervalMs: spec.learners.emitInterval,
        warmupMs: spec.warmup,
        durationMs: spec.duration,
        drainMs: spec.drain,
        seed: spec.seed,
        loadStages: prepared.loadStages,
        startAtEpochMs: options.startAtEpochMs,
      },
      hooks,
    );
    const report = reportOf(options, result, {
      startedAt,
      planHash: prepared.planHash,
      interrupted: hooks.signal.aborted,
    });
    return { report, recording: result.recording, traces: result.traces };
  } finally {
    if (server) {
      hooks.onPhase('stopping the server');
      await server.stop();
    }
  }
}

async function startTarget(options: LoadOptions, hooks: LoadHooks): Promise<EmbeddedServer | undefined> {
  if (options.scenario.spec.target.url !== undefined) return undefined;
  hooks.onPhase('starting the server');
  const server = await startEmbedded(options.serve);
  hooks.onServer?.(server);
  return server;
}

type Run = { startedAt: Date; planHash: string; interrupted: boolean };

function reportOf({ scenario, prepared, version }: LoadOptions, result: ShardResult, run: Run): LoadReport {
  const { spec, metadata } = scenario;
  const recorder = new Recorder();
  recorder.add(result.recording);
  const measured = measurementsOf(recorder);
  const objectives = spec.objectives.map((objective) => judge(objective, measured));
  const validity = checkValidity(measured, result.generator);
  const { sessions, sessions_ok, utterances, frames_sent, events } = recorder.tally;
  const report: LoadReport = {
    kind: 'LoadReport',
    version: 1,
    speechfbVersion: version,
    startedAt: run.startedAt.toISOString(),
    elapsedMs: result.elapsedMs,
    scenario: {
      name: metadata.name,
      learners: prepared.whole.peak,
      rampMs: prepared.shape.stages[0]?.rampMs ?? 0,
      durationMs: spec.duration,
      frameMs: spec.learners.frame,
      emitIntervalMs: spec.learners.emitInterval,
      pauseMs: spec.learners.pause?.leastMs ?? 0,
      seed: spec.seed,
      target: spec.target.url ?? 'embedded',
      planHash: run.planHash,
    },
    environment: environment(),
    verdict: validity.every((check) => check.ok) ? overall(objectives) : 'invalid',
    interrupted: run.interrupted,
    objectives,
    validity,
    distributions: mapValues(recorder.distributions, summarise),
    stages: mapValues(recorder.stages, summarise),
    shares: measured.shares,
    counts: measured.counts,
    totals: { sessions, sessionsOk: sessions_ok, utterances, framesSent: frames_sent, events },
    troubles: result.troubles,
  };
  recorder.destroy();
  return report;
}

function environment(): LoadReport['environment'] {
  const processors = cpus();
  return {
    node: `${process.versions.node}`,
    platform: `${platform()} ${release()} ${arch()}`,
    cpus: processors.length,
    cpuModel: processors[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
  };
}

function mapValues<K extends string, A, B>(record: Record<K, A>, map: (value: A) => B): Record<K, B> {
  return Object.fromEntries(Object.entries<A>(record).map(([key, value]) => [key, map(value)])) as Record<K, B>;
}
