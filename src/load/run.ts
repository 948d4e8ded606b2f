import { arch, cpus, platform, release, totalmem } from 'node:os';
import { SpeechfbError } from '../errors.ts';
import type { LoadProgress } from '../report/progress.ts';
import type { LoadReport } from '../report/report.ts';
import { type Clip, readClips } from './clips.ts';
import { driveLoad } from './drive.ts';
import { type EmbeddedServer, type ServeCommand, startEmbedded } from './embedded.ts';
import { histogramsReady } from './histogram.ts';
import { LiveRun } from './live-run.ts';
import { loadReport } from './load-report.ts';
import { planHash, planLearners } from './plan.ts';
import { Recorder } from './recorder.ts';
import type { LoadScenario } from './scenario.ts';
import type { ShardResult } from './shard.ts';
import { type TaggedHistogram, taggedHistograms } from './tagged-histograms.ts';
import type { Trace } from './traces.ts';

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

export type LoadOutcome = { report: LoadReport; histograms: TaggedHistogram[]; traces: Trace[] };

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
  const live = new LiveRun({
    objectives: spec.objectives,
    plannedSessions: plans.length,
    durationMs: spec.duration,
  });
  try {
    hooks.onPhase('learners are speaking');
    const result = await driveLoad(
      {
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
      },
      server,
      {
        onProgress(progress) {
          live.add(progress);
          hooks.onProgress(live.look());
        },
        signal: hooks.signal,
      },
      options.generators,
    );
    const recorder = new Recorder(result.recording);
    const report = reportOf(options, recorder, result, {
      startedAt,
      planHash: planHash(plans),
      interrupted: hooks.signal.aborted,
    });
    const histograms = taggedHistograms(recorder);
    recorder.destroy();
    return { report, histograms, traces: result.traces };
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

function reportOf({ scenario, version }: LoadOptions, recorder: Recorder, result: ShardResult, run: Run): LoadReport {
  const { spec, metadata } = scenario;
  return loadReport(recorder, {
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
    interrupted: run.interrupted,
    troubles: result.troubles,
    objectives: spec.objectives,
    generators: result.generators,
    faults: result.faults,
  });
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
