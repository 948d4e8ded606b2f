import type { ObjectiveVerdict, Verdict } from '../slo/objective/objective-verdict.ts';

/**
 * One load test, measured and judged: everything that a table, a file or a screen shows. Times in
 * ms.
 */
export type LoadReport = {
  kind: 'LoadReport';
  /** Version of this shape, as `run.json` carries it. */
  version: 4;
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
    /** Mean pause between two utterances; undefined where a duty cycle decides it. */
    pauseMs: number | undefined;
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
  /** Samples of one session were taken as independent, because somebody asked for it. */
  assumeIndependent: boolean;
  /**
   * Which objective ended the test early, since it was missed for certain, or `cost.most`;
   * undefined: none did.
   */
  aborted: { objective: string; atMs: number; reason: string } | undefined;
  /** What was due before this is in no distribution. */
  warmupMs: number;
  /** What the servers cost while it was measured; undefined when the scenario does not say. */
  cost: CostReport | undefined;
  objectives: readonly ObjectiveVerdict[];
  /** Conditions on the generator; one that is not ok makes the run invalid. */
  validity: readonly { check: string; ok: boolean; detail: string }[];
  /**
   * Every profile, language and stage together; where more than one of them varies, also each by
   * itself.
   */
  slices: readonly SliceReport[];
  /** Each backend that wrote transcripts, by name, where the server says which. */
  backends: readonly BackendReport[];
  /** What was made to go wrong, in order of time. */
  faults: readonly FaultReport[];
  /** The processes that made the load. */
  generators: readonly GeneratorReport[];
  /** What went wrong in sessions, most frequent first. */
  sessionErrors: readonly { text: string; count: number }[];
} & Measured;

/** What one backend did. */
type BackendReport = {
  name: string;
  /** Sessions that began with it, and those of them that it heard alone: nobody scored phones. */
  sessions: number;
  withoutPhones: number;
  /** Finals whose text it wrote, and what they took from the end of their utterances. */
  finals: number;
  finalLatency: Summary;
  /** Transcripts that another had to go on with, and those that nobody did. */
  moved: number;
  lost: number;
};

/** A planned fault and what became of it; ms from the start of the test. */
type FaultReport = {
  kind: string;
  plannedMs: number;
  /** When it really happened, and when it was over. */
  atMs: number;
  untilMs?: number;
  /** Learners that it affected, of its targets. */
  affected?: { learners: number; of: number };
  /** Why it did not happen. */
  problem?: string;
};

/** Whether one process that made load kept up. */
type GeneratorReport = {
  learners: number;
  /** Share of the time that its event loop was at work. */
  busy: number;
  /** CPU seconds a second of the whole process. */
  cpu: number;
  /** Share of the time that it waited for a core; undefined where the system does not say. */
  waited: number | undefined;
  loopDelayP99Ms: number;
  rssBytes: number;
  /** Why it ended before its work was done. */
  lost?: string;
};

/** What was measured, of the whole run or of some of its sessions; by metric and by stage. */
type Measured = {
  distributions: Readonly<Record<string, Summary>>;
  stages: Readonly<Record<string, Summary>>;
  shares: Readonly<Record<string, { good: number; total: number }>>;
  rates: Readonly<Record<string, { count: number; of: number }>>;
  counts: Readonly<Record<string, { count: number; of: number }>>;
  totals: {
    sessions: number;
    sessionsOk: number;
    /** Going on when the test was ended early. */
    sessionsCut: number;
    utterances: number;
    framesSent: number;
    framesAcked: number;
    events: number;
    /** Sound that feedback was due for, and that got it. */
    audioMinutesDue: number;
    audioMinutesServed: number;
    /** Samples that were due in the warm-up: in no distribution. */
    warmupSamples: number;
  };
};

export type CostReport = {
  serverDollarsPerHour: number;
  servers: number;
  dollars: number;
  /** Infinity when no sound got feedback. */
  dollarsPerAudioMinute: number;
};

/**
 * What was measured with these labels; one that is absent may be any. Sessions and frames count in
 * the phase that they began in.
 */
export type SliceReport = {
  labels: { profile?: string; language?: string; phase?: string; tenant?: string };
} & Measured;

/**
 * A distribution in a few numbers: undefined without samples, Infinity where the quantile never
 * came.
 */
export type Summary = {
  samples: number;
  /** Samples that never came; they are in every quantile. */
  never: number;
  /** Mean of those that came. */
  meanMs: number | undefined;
  p50Ms: number | undefined;
  p90Ms: number | undefined;
  p95Ms: number | undefined;
  p99Ms: number | undefined;
  p999Ms: number | undefined;
  maxMs: number | undefined;
};
