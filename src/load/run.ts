import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { SpeechfbError } from '../errors.ts';
import type { LoadProgress } from '../report/progress.ts';
import type { LoadReport } from '../report/report.ts';
import { judge, overall } from '../slo/verdict.ts';
import { type Clip, readClips } from './clips.ts';
import { type EmbeddedServer, type ServeCommand, startEmbedded } from './embedded.ts';
import { generatorCount, runGenerators } from './generators.ts';
import { histogramsReady } from './histogram.ts';
import { mergeFaultRecords } from './learner-faults.ts';
import { measurementsOf, summarise } from './measurements.ts';
import { planHash, planLearners } from './plan.ts';
import { Recorder, type Recording } from './recorder.ts';
import type { LoadScenario } from './scenario.ts';
import { type ServerFaults, startServerFaults } from './server-faults.ts';
import type { ShardResult, ShardTask } from './shard.ts';
import type { Trace } from './traces.ts';
import { checkValidity } from './validity.ts';

export type LoadOptions = {
  scenario: LoadScenario;
  token: string | undefined;
  /** Starts the server of a scenario without a URL. */
  serve: ServeCommand;
  version: string;
  /** Processes that make the load; undefined: as many as it wants and cores are free. */
  generators?: number;
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

/** Runs one scenario whole: clips, schedule, server, load, measurements, verdicts. */
export async function runLoad(options: LoadOptions, hooks: LoadHooks): Promise<LoadOutcome> {
  const { spec } = options.scenario;
  const clips = readClips(spec.learners.clips);
  checkFrames(clips, spec.learners.frame);
  const plans = planLearners({
    learners: spec.load.learners,
    rampMs: spec.load.ramp,
    durationMs: spec.duration,
    frameMs: spec.learners.frame,
    pauseMs: spec.learners.pause,
    seed: spec.seed,
    clips,
  });
  await histogramsReady();
  const server = await startTarget(options, hooks);
  const startedAt = new Date();
  try {
    hooks.onPhase('learners are speaking');
    const task: ShardTask = {
      plans,
      faults: [],
      networks: {},
      clips,
      url: server?.url ?? spec.target.url!,
      token: options.token,
      tls: undefined,
      frameMs: spec.learners.frame,
      emitIntervalMs: spec.learners.emitInterval,
      warmupMs: 0,
      durationMs: spec.duration,
      drainMs: spec.drain,
      seed: spec.seed,
      loadStages: [],
      startAtEpochMs: undefined,
    };
    const count = options.generators ?? generatorCount(plans.length, availableParallelism(), server !== undefined);
    const result = await generate(task, server, hooks, count);
    const report = reportOf(options, result, {
      startedAt,
      planHash: planHash(plans),
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

/** The load, and what is done to the server meanwhile. */
async function generate(
  task: ShardTask,
  server: EmbeddedServer | undefined,
  hooks: LoadHooks,
  count: number,
): Promise<ShardResult> {
  let serverFaults: ServerFaults | undefined;
  const onStart = (startAtEpochMs: number) => {
    serverFaults = startServerFaults(task.faults, server, task.token, startAtEpochMs);
  };
  const result = await runGenerators(task, { ...hooks, onStart }, count);
  serverFaults?.stop();
  return { ...result, faults: mergeFaultRecords([...result.faults, ...(serverFaults?.records ?? [])]) };
}

async function startTarget(options: LoadOptions, hooks: LoadHooks): Promise<EmbeddedServer | undefined> {
  if (options.scenario.spec.target.url !== undefined) return undefined;
  hooks.onPhase('starting the server');
  const server = await startEmbedded(options.serve);
  hooks.onServer?.(server);
  return server;
}

type Run = { startedAt: Date; planHash: string; interrupted: boolean };

function reportOf({ scenario, version }: LoadOptions, result: ShardResult, run: Run): LoadReport {
  const { spec, metadata } = scenario;
  const recorder = new Recorder();
  recorder.add(result.recording);
  const measured = measurementsOf(recorder);
  const objectives = spec.objectives.map((objective) => judge(objective, measured));
  const validity = checkValidity(measured, result.generators, result.faults);
  const { sessions, sessions_ok, utterances, frames_sent, events } = recorder.tally;
  const report: LoadReport = {
    kind: 'LoadReport',
    version: 1,
    speechfbVersion: version,
    startedAt: run.startedAt.toISOString(),
    elapsedMs: result.elapsedMs,
    scenario: {
      name: metadata.name,
      learners: spec.load.learners,
      rampMs: spec.load.ramp,
      durationMs: spec.duration,
      frameMs: spec.learners.frame,
      emitIntervalMs: spec.learners.emitInterval,
      pauseMs: spec.learners.pause,
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

/** A session's sample clock must tick in whole frames. */
function checkFrames(clips: readonly Clip[], frameMs: number): void {
  const ragged = clips.find((clip) => !Number.isInteger((clip.sampleRateHz * frameMs) / 1000));
  if (!ragged) return;
  const message = `frames of ${frameMs} ms are not whole samples at the ${ragged.sampleRateHz} Hz of clip "${ragged.id}"`;
  throw new SpeechfbError('bad_frame', message, { hint: 'use 20ms or 40ms, or convert the clip to 16 kHz' });
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
