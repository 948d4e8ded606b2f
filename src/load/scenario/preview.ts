import { concurrencyAt, peakConcurrency } from '../plan/peak-concurrency.ts';
import type { PreparedLoad } from './prepare.ts';
import { type Unprovable, unprovable } from './proof.ts';
import type { LoadScenario } from './scenario.ts';
import { type SessionNeed, sessionNeeds } from './session-needs.ts';
import { targetText } from './target-schema.ts';

/** What a load test would do, before anything has run; times in ms from its start. */
export type LoadPreview = {
  kind: 'LoadPreview';
  name: string;
  description: string | undefined;
  /** `embedded` or the URL. */
  target: string;
  seed: number;
  planHash: string;
  shard: { index: number; count: number; planHash: string } | undefined;
  durationMs: number;
  warmupMs: number;
  drainMs: number;
  frameMs: number;
  /** Counts this shard alone, as everything below does. */
  sessions: number;
  /** Sessions at once, at most. */
  peakSessions: number;
  utterances: number;
  brokenOff: number;
  /** Frames that go out, and those that voice activity detection holds back. */
  frames: number;
  framesHeldBack: number;
  audioMinutes: number;
  /** What that costs, $, where the scenario says; and the most that it may. */
  bill: { dollars: number; most: number | undefined } | undefined;
  networks: readonly { network: string; transport: string | undefined; sessions: number }[];
  languages: readonly { language: string; sessions: number; clips: number }[];
  phases: readonly { name: string; beginMs: number; endMs: number; level: string }[];
  faults: readonly { atMs: number; kind: string; forMs: number | undefined; learners: number | undefined }[];
  objectives: readonly string[];
  /** Objectives that the test is too short to prove, however good the server is. */
  unprovable: readonly Unprovable[];
  /** How many sessions each has that the schedule foretells, and how many it takes. */
  sessionNeeds: readonly SessionNeed[];
  /** Learners there in the middle of each of so many equal parts of the test. */
  concurrency: readonly number[];
};

/** What a prepared test would do, for people and programs to look at before it runs. */
export function previewOf(scenario: LoadScenario, prepared: PreparedLoad): LoadPreview {
  const { metadata, spec } = scenario;
  const { plans, shape, networks, clips } = prepared;
  const utterances = plans.flatMap((plan) => plan.utterances);
  const spoken = utterances.reduce((sum, { frames }) => sum + frames, 0);
  const held = utterances.reduce((sum, { gated = [] }) => sum + gated.reduce((s, [from, to]) => s + to - from, 0), 0);
  const unit = shape.by === 'rate' ? 'arrivals/s' : 'learners';
  return {
    kind: 'LoadPreview',
    name: metadata.name,
    description: metadata.description,
    target: targetText(spec.target),
    seed: spec.seed,
    planHash: prepared.planHash,
    shard: prepared.shard,
    durationMs: spec.duration,
    warmupMs: spec.warmup,
    drainMs: spec.drain,
    frameMs: spec.learners.frame,
    sessions: plans.length,
    peakSessions: peakConcurrency(plans),
    utterances: utterances.length,
    brokenOff: utterances.filter(({ bargeIn }) => bargeIn).length,
    frames: spoken - held,
    framesHeldBack: held,
    audioMinutes: (spoken * spec.learners.frame) / 60_000,
    bill:
      prepared.bill.dollars === undefined ? undefined : { dollars: prepared.bill.dollars, most: prepared.bill.most },
    networks: countBy(plans, ({ network }) => network).map(([network, sessions]) => ({
      network,
      transport: networks[network]?.transport,
      sessions,
    })),
    languages: countBy(plans, ({ language }) => language).map(([language, sessions]) => ({
      language,
      sessions,
      clips: clips.filter((clip) => clip.language === language).length,
    })),
    phases: shape.phases.map(({ name, beginMs, endMs, level }) => ({
      name,
      beginMs,
      endMs,
      level: `${Number(level.toPrecision(4))} ${unit}`,
    })),
    faults: prepared.faults.map((fault) => ({
      atMs: fault.atMs,
      kind: fault.kind,
      forMs: 'forMs' in fault ? fault.forMs : undefined,
      learners: 'learners' in fault ? fault.learners.length : undefined,
    })),
    objectives: spec.objectives.map(({ source }) => source),
    unprovable: unprovable(scenario, prepared),
    sessionNeeds: sessionNeeds(scenario, prepared),
    concurrency: concurrencyAt(
      plans,
      Array.from({ length: chartPoints }, (_, k) => ((k + 0.5) / chartPoints) * spec.duration),
    ),
  };
}

/** How many of each, most frequent first. */
function countBy<T>(items: readonly T[], key: (item: T) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

const chartPoints = 64;
