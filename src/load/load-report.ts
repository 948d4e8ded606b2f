import type { LoadReport, SliceReport } from '../report/report.ts';
import type { Objective } from '../slo/expression.ts';
import type { Selector } from '../slo/metrics.ts';
import { judge, overall } from '../slo/verdict.ts';
import type { GeneratorHealth } from './health.ts';
import type { FaultRecord } from './learner-faults.ts';
import { measurementsOf, summarise } from './measurements.ts';
import type { Recorder } from './recorder.ts';
import type { Slice } from './slice.ts';
import type { Tally } from './tally.ts';
import { checkValidity } from './validity.ts';

/** What a report says that no recorder knows. */
export type RunFacts = Pick<
  LoadReport,
  'speechfbVersion' | 'startedAt' | 'elapsedMs' | 'scenario' | 'shard' | 'environment' | 'interrupted' | 'troubles'
> & { objectives: readonly Objective[]; generators: readonly GeneratorHealth[]; faults: readonly FaultRecord[] };

/** Judges what was measured: of one generator, or of many added up. */
export function loadReport(recorder: Recorder, facts: RunFacts): LoadReport {
  const { objectives: asked, generators, faults, ...rest } = facts;
  const whole = recorder.merged();
  const measured = measurementsOf(whole);
  const objectives = asked.map((objective) => {
    const chosen = recorder.merged(objective.selector);
    const verdict = judge(objective, measurementsOf(chosen));
    chosen.destroy();
    return verdict;
  });
  const validity = checkValidity(measured, generators, faults);
  const report: LoadReport = {
    kind: 'LoadReport',
    version: 2,
    ...rest,
    verdict: validity.every((check) => check.ok) ? overall(objectives) : 'invalid',
    objectives,
    validity,
    faults,
    generators,
    ...summaries(whole),
    slices: selectorsOf(recorder).map((labels) => sliceReport(recorder, labels)),
  };
  whole.destroy();
  return report;
}

/** Every pair of profile and language; and each profile, or language, that has several of the other. */
function selectorsOf({ slices }: Recorder): Selector[] {
  const labels = slices.map((slice) => slice.labels);
  const profiles = [...new Set(labels.map(({ profile }) => profile))];
  const languages = [...new Set(labels.map(({ language }) => language))];
  const ofProfile = profiles.filter((profile) => labels.filter((one) => one.profile === profile).length > 1);
  const ofLanguage = languages.filter((language) => labels.filter((one) => one.language === language).length > 1);
  return [...ofProfile.map((profile) => ({ profile })), ...ofLanguage.map((language) => ({ language })), ...labels];
}

function sliceReport(recorder: Recorder, labels: Selector): SliceReport {
  const slice = recorder.merged(labels);
  const report = { labels, ...summaries(slice) };
  slice.destroy();
  return report;
}

function summaries(slice: Slice): Omit<SliceReport, 'labels'> {
  const { shares, counts } = measurementsOf(slice);
  return {
    distributions: mapValues(slice.distributions, summarise),
    stages: mapValues(slice.stages, summarise),
    shares,
    counts,
    totals: totalsOf(slice.tally),
  };
}

function totalsOf(tally: Tally): SliceReport['totals'] {
  return {
    sessions: tally.sessions,
    sessionsOk: tally.sessions_ok,
    utterances: tally.utterances,
    framesSent: tally.frames_sent,
    events: tally.events,
    warmupSamples: tally.warmup_samples,
  };
}

function mapValues<K extends string, A, B>(record: Record<K, A>, map: (value: A) => B): Record<K, B> {
  return Object.fromEntries(Object.entries<A>(record).map(([key, value]) => [key, map(value)])) as Record<K, B>;
}
