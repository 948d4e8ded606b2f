import { formatMs } from '../../format.ts';
import type { LoadProgress } from '../../load/generator/live-run.ts';

/**
 * One line for a log: `12.5 s of 25.0 s 20/20 learners p50 61.0 ms p95 88.1 ms p99 120 ms of 1893`.
 */
export function progressLine(progress: LoadProgress, durationMs: number): string {
  const { sessions, p50Ms, p95Ms, p99Ms, samples } = progress;
  const time = clockText(progress, durationMs);
  const learners = `${sessions.arrived}/${sessions.planned} learners`;
  const latency =
    samples === 0
      ? 'no feedback yet'
      : `p50 ${formatMs(p50Ms ?? 0)}  p95 ${formatMs(p95Ms ?? 0)}  p99 ${formatMs(p99Ms ?? 0)}  of ${samples}`;
  const violations = progress.violations > 0 ? `  ${progress.violations} violations` : '';
  return `${time}  ${learners}  ${latency}${violations}`;
}

/** `12.5 s of 25.0 s`; when the learners have stopped, what is waited for. */
export function clockText({ elapsedMs, leftMs }: LoadProgress, durationMs: number): string {
  const time = `${formatMs(Math.min(elapsedMs, durationMs))} of ${formatMs(durationMs)}`;
  return leftMs > 0 ? time : `${time}, waiting for the last finals`;
}
