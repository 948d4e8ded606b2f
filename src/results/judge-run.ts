import { formatMs } from '../format.ts';
import { type LabelName, labelNames, type Selector } from '../metrics/definitions.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { Slice } from '../metrics/slice.ts';
import type { Tally } from '../metrics/tally.ts';
import type { Objective } from '../slo/objective/expression.ts';
import type { ObjectiveVerdict } from '../slo/objective/objective-verdict.ts';
import { judge, overall } from '../slo/objective/verdict.ts';
import { costLimit, type ServerCost, type Spent, spentIn } from './cost.ts';
import type { FaultRecord } from './fault-record.ts';
import type { GeneratorHealth } from './generator-health.ts';
import { measurementsOf, summarise } from './measurements.ts';
import type { CostReport, LoadReport, SliceReport } from './report.ts';
import { checkValidity } from './validity.ts';

/** What a report says that no recorder knows. */
export type RunMetadata = Pick<
  LoadReport,
  | 'speechfbVersion'
  | 'startedAt'
  | 'elapsedMs'
  | 'scenario'
  | 'shard'
  | 'environment'
  | 'interrupted'
  | 'assumeIndependent'
  | 'aborted'
  | 'warmupMs'
  | 'sessionErrors'
> & {
  /** Prices, if there are any. */
  prices: ServerCost | undefined;
  objectives: readonly Objective[];
  generators: readonly GeneratorHealth[];
  faults: readonly FaultRecord[];
};

/** Judges what was measured: of one generator, or of many added up. */
export function loadReport(recorder: Recorder, metadata: RunMetadata): LoadReport {
  const { objectives: asked, faults, prices, ...rest } = metadata;
  // A recording has no key for what was undefined, but the report of a run names every one.
  const generators = metadata.generators.map((one) => ({ ...one, waited: one.waited }));
  using whole = recorder.merged();
  const measuredMs = Math.min(metadata.elapsedMs, metadata.scenario.durationMs) - metadata.warmupMs;
  // The servers serve all shards: one of them has its part of what they cost.
  const spent = spentIn(prices, measuredMs / (metadata.shard?.count ?? 1));
  const measured = measurementsOf(whole, spent);
  const objectives = asked.map((objective) => judgeSlice(recorder, objective, metadata, spent));
  const validity = checkValidity(measured, generators, faults);
  return {
    kind: 'LoadReport',
    version: 4,
    ...rest,
    scenario: { ...metadata.scenario, pauseMs: metadata.scenario.pauseMs },
    shard: metadata.shard,
    aborted: metadata.aborted,
    verdict: validity.every((check) => check.ok) ? verdictOf(objectives, metadata) : 'invalid',
    cost: prices && measured.cost && costReport(prices, measured.cost),
    objectives,
    validity,
    faults,
    generators,
    ...summaries(whole),
    slices: selectorsOf(recorder).map((labels) => sliceReport(recorder, labels)),
    backends: recorder.backends.map(({ name, counts, finalLatency }) => ({
      name,
      ...counts,
      finalLatency: summarise(finalLatency),
    })),
  };
}

function judgeSlice(recorder: Recorder, objective: Objective, metadata: RunMetadata, spent: Spent): ObjectiveVerdict {
  using chosen = recorder.merged(objective.selector);
  const { aborted, assumeIndependent } = metadata;
  const verdict = judge(objective, measurementsOf(chosen, spent), { assumeIndependent });
  if (aborted?.objective !== objective.source) return verdict;
  // What came in after the decision changes no mind.
  return { ...verdict, verdict: 'fail', reason: `ended the test at ${formatMs(aborted.atMs)}: ${aborted.reason}` };
}

/** A test that its cost has ended is not the one that was asked for, whatever it had proven. */
function verdictOf(objectives: readonly ObjectiveVerdict[], { aborted }: RunMetadata): LoadReport['verdict'] {
  return aborted?.objective === costLimit ? 'fail' : overall(objectives);
}

function costReport(
  { server, servers }: ServerCost,
  { dollars, audioMinutes }: { dollars: number; audioMinutes: number },
): CostReport {
  const dollarsPerAudioMinute = audioMinutes === 0 ? Number.POSITIVE_INFINITY : dollars / audioMinutes;
  return { serverDollarsPerHour: server, servers, dollars, dollarsPerAudioMinute };
}

/** Each value of each label, where more than one of them varies; then every slice. */
function selectorsOf({ slices }: Recorder): Selector[] {
  const all = slices.map((slice) => slice.labels);
  // A load with phases: a slice that belongs to none would read as the sum of all.
  const phased = all.filter(({ phase }) => phase !== undefined);
  const labels = phased.length > 0 ? phased : all;
  const valuesOf = (name: LabelName) => [...new Set(labels.flatMap((one) => one[name] ?? []))];
  const varying = labelNames.filter((name) => valuesOf(name).length > 1);
  const single = varying.flatMap((name) => valuesOf(name).map((value): Selector => ({ [name]: value })));
  return [...(varying.length > 1 ? single : []), ...labels];
}

function sliceReport(recorder: Recorder, labels: Selector): SliceReport {
  using slice = recorder.merged(labels);
  return { labels, ...summaries(slice) };
}

function summaries(slice: Slice): Omit<SliceReport, 'labels'> {
  const { shares, rates, counts } = measurementsOf(slice);
  return {
    distributions: mapValues(slice.distributions, summarise),
    stages: mapValues(slice.stages, summarise),
    shares,
    rates,
    counts,
    totals: totalsOf(slice.tally),
  };
}

function totalsOf(tally: Tally): SliceReport['totals'] {
  return {
    sessions: tally.sessions,
    sessionsOk: tally.sessions_ok,
    sessionsCut: tally.sessions_cut,
    utterances: tally.utterances,
    framesSent: tally.frames_sent,
    framesAcked: tally.frames_acked,
    events: tally.events,
    audioMinutesDue: tally.sound_due_ms / 60_000,
    audioMinutesServed: tally.sound_served_ms / 60_000,
    warmupSamples: tally.warmup_samples,
  };
}

function mapValues<K extends string, A, B>(record: Record<K, A>, map: (value: A) => B): Record<K, B> {
  return Object.fromEntries(Object.entries<A>(record).map(([key, value]) => [key, map(value)])) as Record<K, B>;
}
