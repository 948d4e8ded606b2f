import type { EngineStats } from './types.ts';

/** Counts what an engine does; `snapshot` speaks of the last 10 s. All times in ms on the caller's clock. */
export type StatsRecorder = {
  run(startMs: number, endMs: number, batch: number): void;
  /** A chunk's frames are out, this long after its oldest sound came. */
  step(nowMs: number, tookMs: number): void;
  snapshot(nowMs: number, streams: number, queueDepth: number): EngineStats;
};

export function createStatsRecorder(startMs: number): StatsRecorder {
  const stepTimes = new Float64Array(keptSteps);
  const stepTook = new Float64Array(keptSteps);
  let steps = 0;
  const busyMs = new Float64Array(windowSeconds + 1);
  let second = Math.floor(startMs / 1000);
  let runs = 0;
  let streamRuns = 0;

  const advance = (nowMs: number): void => {
    const current = Math.floor(nowMs / 1000);
    if (current - second > busyMs.length) second = current - busyMs.length;
    while (second < current) busyMs[++second % busyMs.length] = 0;
  };

  return {
    run(startedMs, endedMs, batch) {
      advance(endedMs);
      busyMs[second % busyMs.length]! += endedMs - startedMs;
      runs++;
      streamRuns += batch;
    },
    step(nowMs, tookMs) {
      stepTimes[steps % keptSteps] = nowMs;
      stepTook[steps % keptSteps] = tookMs;
      steps++;
    },
    snapshot(nowMs, streams, queueDepth) {
      advance(nowMs);
      const seenMs = Math.max(1, Math.min(nowMs - startMs, windowSeconds * 1000 + (nowMs % 1000)));
      const recent: number[] = [];
      for (let i = 0; i < Math.min(steps, keptSteps); i++) {
        if (stepTimes[i]! > nowMs - windowSeconds * 1000) recent.push(stepTook[i]!);
      }
      recent.sort((a, b) => a - b);
      return {
        streams,
        queueDepth,
        stepP95Ms: recent[Math.ceil(0.95 * recent.length) - 1] ?? 0,
        busy: Math.min(1, busyMs.reduce((sum, ms) => sum + ms, 0) / seenMs),
        runs,
        meanBatch: runs === 0 ? 0 : streamRuns / runs,
      };
    },
  };
}

const windowSeconds = 10;
/** 10 s of 80 streams at 20 ms, or of 400 at 100 ms; beyond that the latest of them. */
const keptSteps = 40_000;
