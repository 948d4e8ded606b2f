import type { ObjectiveVerdict } from '../../slo/objective/verdict.ts';
import { formatMs } from '../../units.ts';

/**
 * Where a load test stands, all generators together; latencies to 1.6 %. `recent` is since the progress before. Undefined:
 * no sample yet; Infinity: most never came.
 */
export type LoadProgress = {
  elapsedMs: number;
  /** Until the learners stop speaking. */
  leftMs: number;
  sessions: { planned: number; arrived: number; ended: number; refused: number; died: number };
  /** Feedback that was due, and what of it never came. */
  samples: number;
  never: number;
  /** Of feedback latency. */
  p50Ms: number | undefined;
  p95Ms: number | undefined;
  p99Ms: number | undefined;
  recentP95Ms: number | undefined;
  sendLatenessP99Ms: number | undefined;
  framesSent: number;
  utterances: number;
  violations: number;
  /** Every stage of feedback latency, in the order that sound passes through them. */
  stages: readonly {
    stage: string;
    p50Ms: number | undefined;
    p95Ms: number | undefined;
    recentP95Ms: number | undefined;
  }[];
  /** Feedback latency by network profile, in order of their names. */
  profiles: readonly { profile: string; samples: number; p50Ms: number | undefined; p95Ms: number | undefined }[];
  /** The verdicts so far: they may still change. */
  objectives: readonly ObjectiveVerdict[];
};

/** One line for a log: `12.5 s of 25.0 s  20/20 learners  p50 61.0 ms  p95 88.1 ms  p99 120 ms  of 1893`. */
export function progressLine(progress: LoadProgress, durationMs: number): string {
  const { sessions, p50Ms, p95Ms, p99Ms, samples } = progress;
  const time = clockText(progress, durationMs);
  const learners = `${sessions.arrived}/${sessions.planned} learners`;
  const latency =
    samples === 0
      ? 'no feedback yet'
      : `p50 ${formatMs(p50Ms ?? 0)}  p95 ${formatMs(p95Ms ?? 0)}  p99 ${formatMs(p99Ms ?? 0)}  of ${samples}`;
  const troubles = progress.violations > 0 ? `  ${progress.violations} violations` : '';
  return `${time}  ${learners}  ${latency}${troubles}`;
}

/** `12.5 s of 25.0 s`; when the learners have stopped, what is waited for. */
export function clockText({ elapsedMs, leftMs }: LoadProgress, durationMs: number): string {
  const time = `${formatMs(Math.min(elapsedMs, durationMs))} of ${formatMs(durationMs)}`;
  return leftMs > 0 ? time : `${time}, waiting for the last finals`;
}
