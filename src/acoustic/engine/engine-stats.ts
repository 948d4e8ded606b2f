import type { CoreStats } from './types.ts';

/** Counts what an engine does; `snapshot` speaks of the last 10 s. All times in ms on the caller's clock. */
export type StatsRecorder = {
  run(startMs: number, endMs: number, batch: number): void;
  /** A chunk's frames are out, this long after its oldest sound came. */
  step(nowMs: number, tookMs: number): void;
  snapshot(nowMs: number, streams: number, queueDepth: number): CoreStats;
};

export function createStatsRecorder(startMs: number): StatsRecorder {
  const seconds = Array.from({ length: windowSeconds + 1 }, () => ({
    busyMs: 0,
    runs: 0,
    streams: 0,
    steps: new Uint32Array(bucketCount),
  }));
  let second = Math.floor(startMs / 1000);
  let runs = 0;

  /** The record of this second; those of seconds that went by unused are cleared. */
  const at = (nowMs: number) => {
    const current = Math.floor(nowMs / 1000);
    second = Math.max(second, current - seconds.length);
    while (second < current) {
      const next = seconds[++second % seconds.length]!;
      next.busyMs = next.runs = next.streams = 0;
      next.steps.fill(0);
    }
    return seconds[second % seconds.length]!;
  };

  return {
    run(startedMs, endedMs, batch) {
      const record = at(endedMs);
      record.busyMs += endedMs - startedMs;
      record.runs++;
      record.streams += batch;
      runs++;
    },
    step(nowMs, tookMs) {
      at(nowMs).steps[bucketOf(tookMs)]!++;
    },
    snapshot(nowMs, streams, queueDepth) {
      at(nowMs);
      const seenMs = Math.max(1, Math.min(nowMs - startMs, windowSeconds * 1000 + (nowMs % 1000)));
      const sum = (of: (record: (typeof seconds)[number]) => number) =>
        seconds.reduce((total, record) => total + of(record), 0);
      const recentRuns = sum((record) => record.runs);
      return {
        streams,
        queueDepth,
        stepP95Ms: p95(seconds.map((record) => record.steps)),
        busy: Math.min(1, sum((record) => record.busyMs) / seenMs),
        runs,
        meanBatch: recentRuns === 0 ? 0 : sum((record) => record.streams) / recentRuns,
      };
    },
  };
}

const windowSeconds = 10;

/** Buckets that widen by 5 %: from 0.05 ms to beyond a minute. */
const growth = 1.05;
const smallestMs = 0.05;
const bucketCount = 300;

function bucketOf(ms: number): number {
  const bucket = Math.ceil(Math.log(Math.max(ms, smallestMs) / smallestMs) / Math.log(growth));
  return Math.min(bucketCount - 1, bucket);
}

/** The upper edge of the bucket that holds the 95th percentile; 0 when there is nothing. */
function p95(histograms: readonly Uint32Array[]): number {
  const merged = new Float64Array(bucketCount);
  let total = 0;
  for (const histogram of histograms) {
    histogram.forEach((count, bucket) => {
      merged[bucket]! += count;
      total += count;
    });
  }
  let below = 0;
  const bucket = merged.findIndex((count) => {
    below += count;
    return below > 0 && below >= 0.95 * total;
  });
  return bucket < 0 ? 0 : smallestMs * growth ** bucket;
}
