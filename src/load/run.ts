import { arch, cpus, platform, release, totalmem } from 'node:os';
import { createDialect } from '../dialects/catalogue.ts';
import { formatMs } from '../format.ts';
import { histogramsReady } from '../metrics/histogram.ts';
import { loadQuic } from '../quic/library.ts';
import { hideSecrets } from '../redact.ts';
import { mergeFaultRecords } from '../results/fault-record.ts';
import type { RunMetadata } from '../results/judge-run.ts';
import type { GeneratorResult } from '../results/merge-results.ts';
import { type RecordedRun, reportOf } from '../results/recorded-run.ts';
import type { LoadReport } from '../results/report.ts';
import { threadsFor } from '../usable-cores.ts';
import type { Abort } from './generator/abort.ts';
import type { GeneratorHooks, GeneratorTask } from './generator/generator.ts';
import { LiveRun, type LoadProgress } from './generator/live-run.ts';
import { generatorCount, runGenerators } from './generator/pool.ts';
import { preflight } from './generator/preflight.ts';
import type { PreparedLoad } from './scenario/prepare.ts';
import type { LoadScenario } from './scenario/scenario.ts';
import { targetText } from './scenario/target-schema.ts';
import { ServerFaults } from './service/server-faults.ts';
import { type EmbeddedService, type ServiceCommand, startService } from './service/service.ts';

export type LoadOptions = {
  scenario: LoadScenario;
  prepared: PreparedLoad;
  /** Wall clock, ms since 1970, at which the learners begin; undefined: as soon as may be. */
  startAtEpochMs: number | undefined;
  /** Starts the server of a scenario without a URL. */
  serve: ServiceCommand;
  version: string;
  /** Processes that make the load; undefined: as many as it wants and cores are free. */
  generators?: number;
  /** Takes the samples of one session as independent in every verdict. */
  assumeIndependent?: boolean;
};

export type LoadHooks = {
  /** What is being done, in a few words. */
  onPhase(phase: string): void;
  onProgress(progress: LoadProgress): void;
  /** Aborted: learners stop at once and what was measured so far is reported. */
  signal: AbortSignal;
};

export type LoadOutcome = {
  report: LoadReport;
  run: RecordedRun;
  /** What the embedded server logged until it was gone; absent where there is none. */
  serviceLog?: string;
};

/** Runs one prepared scenario: server, load, measurements, verdicts. */
export async function runLoad(options: LoadOptions, hooks: LoadHooks): Promise<LoadOutcome> {
  await histogramsReady();
  if (options.scenario.spec.target.transport !== 'websocket') await loadQuic();
  const server = await startTarget(options, hooks);
  let outcome: LoadOutcome;
  try {
    outcome = await measure(options, server, hooks);
  } finally {
    if (server) {
      hooks.onPhase('stopping the server');
      await server.stop();
    }
  }
  return server ? { ...outcome, serviceLog: `${server.log}` } : outcome;
}

async function measure(
  options: LoadOptions,
  server: EmbeddedService | undefined,
  hooks: LoadHooks,
): Promise<LoadOutcome> {
  const { spec } = options.scenario;
  const { prepared } = options;
  const startAtEpochMs = agreedStart(options.startAtEpochMs, hooks);
  const startedAt = new Date(startAtEpochMs ?? Date.now());
  const live = new LiveRun({
    objectives: spec.objectives,
    plannedSessions: prepared.plans.length,
    durationMs: spec.duration,
    warmupMs: spec.warmup,
    prices: prepared.prices,
    billed: billedOf(options.scenario),
  });
  const stop = new AbortController();
  let aborted: Abort | undefined;
  if (startAtEpochMs === undefined) hooks.onPhase('learners are speaking');
  const result = await driveLoad(
    {
      plans: prepared.plans,
      faults: prepared.faults,
      networks: prepared.networks,
      clips: prepared.clips,
      ...addressesFor(options.scenario, server?.urls ?? targetsOf(options.scenario).map(({ href }) => href)),
      token: prepared.token,
      tokens: options.serve.tenants?.tokens,
      tls: server?.certificates ? { ca: server.certificates.authority } : prepared.tls,
      transport: spec.target.transport,
      credentials: prepared.credentials,
      dialect: options.scenario.dialect,
      frameMs: spec.learners.frame,
      emitIntervalMs: spec.learners.emitInterval,
      lane: spec.learners.lane,
      retry: retryOf(spec.learners.retry),
      warmupMs: spec.warmup,
      durationMs: spec.duration,
      drainMs: spec.drain,
      seed: spec.seed,
      objectives: spec.objectives,
      loadPhases: prepared.loadPhases,
      startAtEpochMs,
    },
    server,
    {
      onProgress(progress) {
        if (!live.add(progress)) return;
        hooks.onProgress(live.look());
        aborted ??= live.abortNow();
        if (aborted && !stop.signal.aborted) {
          hooks.onPhase(`ending early: ${aborted.objective}: ${aborted.reason}`);
          stop.abort();
        }
      },
      signal: AbortSignal.any([hooks.signal, stop.signal]),
    },
    options.generators,
  );
  const { recording, traces, tracesSeen } = result;
  const metadata = metadataOf(options, result, { startedAt, interrupted: hooks.signal.aborted, aborted });
  const run = { metadata: metadata, recording, traces, tracesSeen };
  return { report: reportOf(run), run };
}

/**
 * Drives one machine's share of a test: its learners, from as many processes as it wants and cores
 * are free (or `generators`), and what is done to the embedded server meanwhile.
 */
async function driveLoad(
  task: GeneratorTask,
  server: EmbeddedService | undefined,
  hooks: GeneratorHooks,
  generators = generatorCount(task.plans.length, threadsFor(), server !== undefined, task.transport),
): Promise<GeneratorResult> {
  let serverFaults: ServerFaults | undefined;
  const onStart = (startAtEpochMs: number) => {
    serverFaults = new ServerFaults(task.faults, server, task.token, startAtEpochMs);
  };
  const result = await runGenerators(task, { ...hooks, onStart }, generators);
  serverFaults?.stop();
  return { ...result, faults: mergeFaultRecords([...result.faults, ...(serverFaults?.records ?? [])]) };
}

/**
 * The start that shards agree on; when it has passed meanwhile, which is said, as soon as may be.
 */
function agreedStart(startAtEpochMs: number | undefined, hooks: LoadHooks): number | undefined {
  if (startAtEpochMs === undefined) return undefined;
  const leftMs = startAtEpochMs - Date.now();
  if (leftMs > 0) {
    hooks.onPhase(`learners begin in ${formatMs(leftMs)}`);
    return startAtEpochMs;
  }
  hooks.onPhase(`learners begin ${formatMs(-leftMs)} after the start that was agreed on`);
  return undefined;
}

async function startTarget(options: LoadOptions, hooks: LoadHooks): Promise<EmbeddedService | undefined> {
  const { url, transport } = options.scenario.spec.target;
  if (url !== undefined) {
    hooks.onPhase('reaching the server');
    const { token, tls, credentials, clips } = options.prepared;
    const dialect = options.scenario.dialect && createDialect(options.scenario.dialect);
    const common = { token, tls, transport, credentials, dialect, reads: clips[0] };
    for (const one of targetsOf(options.scenario)) await preflight({ ...common, url: one }, { signal: hooks.signal });
    return undefined;
  }
  hooks.onPhase('starting the server');
  return await startService(options.serve, { signal: hooks.signal });
}

function billedOf({ spec: { cost, learners } }: LoadScenario) {
  const { perAudioMinute, most } = cost ?? {};
  if (perAudioMinute === undefined || most === undefined) return undefined;
  return { perAudioMinute, most, frameMs: learners.frame };
}

/** The servers of a service that the test does not start. */
function targetsOf({ spec: { target } }: LoadScenario) {
  return target.url === undefined ? [] : [target.url, ...(target.alsoAt ?? [])];
}

/** Where learners connect. A dialect has a path of its own at our own server. */
function addressesFor({ spec, dialect }: LoadScenario, urls: readonly string[]) {
  const own = dialect && spec.target.url === undefined;
  const [url = '', ...alsoAt] = own ? urls.map((one) => new URL('/', one).href) : urls;
  return { url, alsoAt };
}

type Run = { startedAt: Date; interrupted: boolean; aborted: Abort | undefined };

function metadataOf(options: LoadOptions, result: GeneratorResult, run: Run): RunMetadata {
  const { scenario, prepared, version, assumeIndependent = false } = options;
  const { spec, metadata } = scenario;
  // A server may quote the key that it was called with.
  const hidden = (text: string) =>
    hideSecrets(
      targetsOf(scenario).reduce((left, url) => url.hide(left), text),
      [prepared.token ?? '', ...Object.values(options.serve.tenants?.tokens ?? {}), ...prepared.credentials.secrets],
    );
  return {
    speechfbVersion: version,
    startedAt: run.startedAt.toISOString(),
    elapsedMs: result.elapsedMs,
    scenario: {
      name: metadata.name,
      learners: prepared.whole.peak,
      rampMs: prepared.shape.phases[0]?.rampMs ?? 0,
      durationMs: spec.duration,
      frameMs: spec.learners.frame,
      emitIntervalMs: spec.learners.emitInterval,
      pauseMs: prepared.meanPauseMs,
      seed: spec.seed,
      target: targetText(spec.target),
      planHash: prepared.planHash,
    },
    environment: environment(),
    interrupted: run.interrupted,
    assumeIndependent,
    aborted: run.aborted,
    warmupMs: spec.warmup,
    prices: prepared.prices,
    sessionErrors: result.sessionErrors.map(({ text, count }) => ({ text: hidden(text), count })),
    objectives: spec.objectives,
    generators: result.generators,
    faults: result.faults,
    shard: prepared.shard,
  };
}

function retryOf(retry: LoadOptions['scenario']['spec']['learners']['retry']) {
  return retry && { forMs: retry.for, firstMs: retry.backoff, maxMs: retry.mostBackoff };
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
