import { formatMs } from '../units.ts';

/** Where a load test stands; quantiles of feedback latency so far, undefined before the first sample. */
export type LoadProgress = {
  elapsedMs: number;
  sessions: { planned: number; arrived: number; ended: number };
  samples: number;
  p50Ms: number | undefined;
  p95Ms: number | undefined;
  p99Ms: number | undefined;
  sendLatenessP99Ms: number | undefined;
  framesSent: number;
  violations: number;
};

/** One line for a log: `12.5 s of 25.0 s  20/20 learners  p50 61.0 ms  p95 88.1 ms  p99 120 ms  of 1893`. */
export function progressLine(progress: LoadProgress, durationMs: number): string {
  const { elapsedMs, sessions, p50Ms, p95Ms, p99Ms, samples } = progress;
  const time = `${formatMs(elapsedMs)} of ${formatMs(durationMs)}`;
  const learners = `${sessions.arrived}/${sessions.planned} learners`;
  const latency =
    samples === 0
      ? 'no feedback yet'
      : `p50 ${formatMs(p50Ms ?? 0)}  p95 ${formatMs(p95Ms ?? 0)}  p99 ${formatMs(p99Ms ?? 0)}  of ${samples}`;
  const troubles = progress.violations > 0 ? `  ${progress.violations} violations` : '';
  return `${time}  ${learners}  ${latency}${troubles}`;
}
