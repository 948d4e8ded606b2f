import type { ObjectiveVerdict, Verdict } from '../slo/verdict.ts';

/** One load test, measured and judged: everything that a table, a file or a screen shows. Times in ms. */
export type LoadReport = {
  kind: 'LoadReport';
  /** Of this shape, as `run.json` carries it. */
  version: 2;
  speechfbVersion: string;
  startedAt: string;
  elapsedMs: number;
  scenario: {
    name: string;
    learners: number;
    rampMs: number;
    durationMs: number;
    frameMs: number;
    emitIntervalMs: number;
    pauseMs: number;
    seed: number;
    /** `embedded` or the URL. */
    target: string;
    /** Equal for equal schedules, to the frame. */
    planHash: string;
  };
  /** Which part of the test this is; undefined for the whole. `planHash` is of its own part. */
  shard: { index: number; count: number; planHash: string } | undefined;
  environment: { node: string; platform: string; cpus: number; cpuModel: string; memoryBytes: number };
  verdict: Verdict;
  interrupted: boolean;
  objectives: readonly ObjectiveVerdict[];
  /** Conditions on the generator; one that is not ok makes the run invalid. */
  validity: readonly { check: string; ok: boolean; detail: string }[];
  /** Every pair of profile and language; and each profile, or language, that has several of the other. */
  slices: readonly SliceReport[];
  /** What went wrong in sessions, most frequent first. */
  troubles: readonly { text: string; count: number }[];
} & Measured;

/** What was measured, of the whole run or of some of its sessions; by metric and by stage. */
export type Measured = {
  distributions: Readonly<Record<string, Summary>>;
  stages: Readonly<Record<string, Summary>>;
  shares: Readonly<Record<string, { good: number; total: number }>>;
  counts: Readonly<Record<string, { count: number; of: number }>>;
  totals: {
    sessions: number;
    sessionsOk: number;
    utterances: number;
    framesSent: number;
    events: number;
    /** Samples that were due in the warm-up: in no distribution. */
    warmupSamples: number;
  };
};

/** What was measured on the sessions with these labels; a label that is absent may be any. */
export type SliceReport = { labels: { profile?: string; language?: string } } & Measured;

/** A distribution in a few numbers: undefined without samples, Infinity where the quantile never came. */
export type Summary = {
  samples: number;
  /** Samples that never came; they are in every quantile. */
  never: number;
  /** Of those that came. */
  meanMs: number | undefined;
  p50Ms: number | undefined;
  p90Ms: number | undefined;
  p95Ms: number | undefined;
  p99Ms: number | undefined;
  p999Ms: number | undefined;
  maxMs: number | undefined;
};
