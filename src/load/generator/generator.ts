import { performance } from 'node:perf_hooks';
import { type Credentials, dialectLinks, streamLinks } from '../../client/dialect-links.ts';
import { SoundFrames } from '../../client/frames.ts';
import { inTurn } from '../../client/link/in-turn.ts';
import type { OpenLink } from '../../client/link/link.ts';
import type { LinkTransport } from '../../client/link/quic-way.ts';
import type { TlsOptions } from '../../client/link/websocket-connection.ts';
import { type Clock, onGrid, startWheel } from '../../clock/wheel.ts';
import { createDialect, type DialectSpec } from '../../dialects/catalogue.ts';
import { EncodedSound } from '../../dialects/sound.ts';
import { histogramsReady } from '../../metrics/histogram.ts';
import { Recorder } from '../../metrics/recorder.ts';
import { TraceSink, traceLimit } from '../../metrics/traces.ts';
import type { Lane } from '../../protocol/client-messages.ts';
import type { FaultRecord } from '../../results/fault-record.ts';
import type { GeneratorResult } from '../../results/merge-results.ts';
import { SessionErrors } from '../../results/session-errors.ts';
import { namedNetwork } from '../../sim/networks/index.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';
import type { Objective } from '../../slo/objective/expression.ts';
import { learnerFault } from '../fault/index.ts';
import type { SpokenDialect } from '../learner/dialect-session.ts';
import { scheduleLearnerFaults } from '../learner/faults.ts';
import { Learner, type LearnerContext } from '../learner/learner.ts';
import { NetworkShaper } from '../learner/network-shaper.ts';
import type { RetryPolicy } from '../learner/retry.ts';
import { spokenText } from '../meter/spoken-text.ts';
import type { FaultPlan } from '../plan/faults.ts';
import { directNetwork, type LearnerPlan, type LoadPhase, labelsOf } from '../plan/learner-plan.ts';
import type { Clip } from '../scenario/clips.ts';
import { HealthWatch } from './health.ts';
import { type GeneratorProgress, ProgressReported } from './progress.ts';

/** One generator's share of a test: plain data, so that it crosses a thread or a machine. */
export type GeneratorTask = {
  plans: readonly LearnerPlan[];
  /** In order of time; only those that affect learners of `plans` or the server. */
  faults: readonly FaultPlan[];
  /** Every network that `plans` name, but `none`. */
  networks: Readonly<Record<string, NetworkProfile>>;
  clips: readonly Clip[];
  url: string;
  /** Other addresses of the same service, which learners are spread over with `url`. */
  alsoAt?: readonly string[];
  token: string | undefined;
  /** By tenant, for learners who belong to one. */
  tokens?: Readonly<Record<string, string>> | undefined;
  tls: TlsOptions | undefined;
  /** What carries speechfb.v1; default `websocket`. */
  transport?: LinkTransport | undefined;
  /** Present when the server speaks another dialect than speechfb.v1. */
  dialect?: DialectSpec | undefined;
  /** What upgrades carry beside the token. */
  credentials?: Credentials | undefined;
  frameMs: number;
  emitIntervalMs: number;
  /** Which of a busy server's lanes learners are in; default `live`. */
  lane?: Lane | undefined;
  /** Absent: a learner who is refused does not come again. */
  retry?: RetryPolicy | undefined;
  /** Samples that were due before this are of the warm-up. */
  warmupMs: number;
  durationMs: number;
  /** How long the last finals may take after the learners stop. */
  drainMs: number;
  seed: number;
  /**
   * What is judged, so that each utterance and each session can be held against it while it runs.
   */
  objectives?: readonly Objective[];
  /** The load's shape by name; empty when it has none. */
  loadPhases: readonly LoadPhase[];
  /**
   * Wall clock, ms since 1970, of the plan's 0, which shards agree on; undefined: as soon as may
   * be.
   */
  startAtEpochMs: number | undefined;
};

export type GeneratorHooks = {
  onProgress(progress: GeneratorProgress): void;
  signal: AbortSignal;
};

/**
 * Runs one generator's part of the learners on this thread, on one timer, until all sessions are
 * over or the drain is.
 */
export async function runGenerator(task: GeneratorTask, hooks: GeneratorHooks): Promise<GeneratorResult> {
  await histogramsReady();
  const clock: Clock = () => performance.now();
  using recorder = new Recorder();
  const sink = new TraceSink(traceLimit, task.seed);
  const sessionErrors = new SessionErrors();
  const faults: FaultRecord[] = [];
  const wheel = startWheel(clock);
  const { timers } = wheel;
  const startMs = startOf(task, clock);
  const onSessionError = (text: string, kind?: string) => {
    if (!hooks.signal.aborted) sessionErrors.add(text, 1, kind);
  };
  const shaper = new NetworkShaper({ ...task, startMs, clock, dueMs: wheel.dueMs, timers });
  const common = { ...task, startMs, clock, timers, recorder, traces: sink, onSessionError };
  const context = { ...common, ...whatIsSaid(task), ...waysThere(task, clock, wheel.catchUp) };
  const profileOf = profiles(task);
  const learners = task.plans.map((plan) => {
    const profile = profileOf(plan);
    const slice = recorder.slice(labelsOf(plan));
    const onLateness = (ms: number) => slice.record('shaping_lateness', ms);
    return new Learner(plan, context, profile && shaper.device(plan.learner, profile, onLateness));
  });
  scheduleLearnerFaults(task.faults, learners, { timers, clock, startMs }, (record) => faults.push(record));
  const health = new HealthWatch(learners.length);
  timers.at(startMs, () => health.begin());
  const progress = new ProgressReported(task.plans, recorder);
  for (const learner of learners) learner.done.then(() => progress.sessionEnded());

  const framesSent = () => learners.reduce((sum, learner) => sum + learner.framesSent, 0);
  const report = setInterval(() => {
    for (const learner of learners) learner.tick(clock());
    hooks.onProgress(progress.take(clock() - startMs, framesSent()));
  }, 500);
  const interrupted = await over(learners, task, startMs, clock, hooks.signal);
  clearInterval(report);
  const elapsedMs = clock() - startMs;
  const generator = health.end();
  wheel.stop();
  shaper.stop();

  // A stop from outside leaves the last second's answers on their way: they are still due, not
  // missed.
  const untilMs = interrupted ? startMs + elapsedMs - 1000 : Number.POSITIVE_INFINITY;
  for (const learner of learners) learner.finish(untilMs, interrupted);
  hooks.onProgress(progress.take(elapsedMs, framesSent()));
  return {
    recording: recorder.encode(),
    traces: sink.taken(),
    tracesSeen: sink.seen,
    generators: [generator],
    faults,
    sessionErrors: sessionErrors.list(),
    elapsedMs,
  };
}

/** The clips cut into frames, and where the words of each end, ms. */
function whatIsSaid({ clips, frameMs }: GeneratorTask): Pick<LearnerContext, 'sounds' | 'wordEndsMs'> {
  const sounds = clips.map((clip) => new SoundFrames(clip, frameMs));
  return { sounds, wordEndsMs: clips.map(({ words = [] }) => words.map(({ endMs }) => endMs)) };
}

/** Links to the server, and the dialect with its messages of every clip if it speaks another. */
function waysThere(
  task: GeneratorTask,
  clock: Clock,
  afterMessage: (nowMs: number) => void,
): Pick<LearnerContext, 'openFor' | 'otherServers' | 'spoken'> {
  const addresses = [task.url, ...(task.alsoAt ?? [])].map((url) => ({ ...task, url }));
  const tokenOf = tokensOf(task);
  const shown = new Map<string | undefined, OpenLink[]>();
  const openFor = (learner: number) => {
    const token = tokenOf(learner);
    const streams =
      shown.get(token) ?? addresses.map((address) => streamLinks({ ...address, token }, clock, afterMessage));
    shown.set(token, streams);
    return inTurn(streams, learner);
  };
  const otherServers = addresses.length - 1;
  if (!task.dialect) return { openFor, otherServers };
  const dialect = createDialect(task.dialect);
  const sounds = task.clips.map((clip) => new EncodedSound(clip, dialect.audio, task.frameMs));
  const texts = task.clips.map((clip) => spokenText(clip));
  const links: SpokenDialect['links'] = (request, { learner, device }) => {
    const address = { ...addresses[learner % addresses.length]!, token: tokenOf(learner) };
    return dialectLinks(address, request, { clock, afterMessage, device });
  };
  return { openFor, otherServers, spoken: { dialect, sounds, texts, links } };
}

/** The token that each learner shows: its tenant's, or the one of all. */
function tokensOf({ plans, token, tokens = {} }: GeneratorTask): (learner: number) => string | undefined {
  const tenants = new Map(plans.map(({ learner, tenant }) => [learner, tenant]));
  return (learner) => {
    const tenant = tenants.get(learner);
    return tenant === undefined ? token : tokens[tenant];
  };
}

/** The plan's 0 on the clock, on the wheel's grid. */
function startOf({ startAtEpochMs }: GeneratorTask, clock: Clock): number {
  const fromMs = startAtEpochMs === undefined ? clock() + 20 : startAtEpochMs - performance.timeOrigin;
  return onGrid(fromMs);
}

/**
 * The network of each learner; one who is on none gets an ideal one when a fault acts on the
 * simulation.
 */
function profiles({ networks, faults }: GeneratorTask): (plan: LearnerPlan) => NetworkProfile | undefined {
  const simulated = new Set(
    faults.flatMap((fault) => ('learners' in fault && learnerFault(fault.kind).simulated ? fault.learners : [])),
  );
  return ({ learner, network }) => {
    if (network === directNetwork) return simulated.has(learner) ? namedNetwork('ideal') : undefined;
    const profile = networks[network];
    if (!profile) throw new Error(`learner ${learner} is on network "${network}", which the task does not have`);
    return profile;
  };
}

/**
 * Waits for every session's end, at most until the drain is over; true when stopped from outside
 * before.
 */
async function over(
  learners: readonly Learner[],
  task: GeneratorTask,
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
