import type { ReportStage } from './latency-stages.ts';

/**
 * One feedback event as `traces.ndjson` holds it; names of the stages as in reports, times in ms.
 */
export type Trace = {
  /** Time since the start of the test. */
  at_ms: number;
  session: string;
  /** Number of the utterance within the session that its sound belongs to, from 0. */
  utterance?: number | undefined;
  profile: string;
  language: string;
  total_ms: number;
  stages: Partial<Record<ReportStage, number>>;
};
