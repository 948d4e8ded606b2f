import type { CoreStats } from './types.ts';

/**
 * Counts what an engine does; `snapshot` speaks of the last 10 s. All times in ms on the caller's
 * clock.
 */
export class StatsRecorder {
  readonly #startMs: number;
  readonly #seconds: readonly Second[] = Array.from({ length: windowSeconds + 1 }, () => ({
    busyMs: 0,
    runs: 0,
    streams: 0,
    steps: new Uint32Array(bucketCount),
  }));
  #second: number;
  #runs = 0;

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#second = Math.floor(startMs / 1000);
  }

  run(startedMs: number, endedMs: number, batch: number): void {
    const record = this.#at(endedMs);
    record.busyMs += endedMs - startedMs;
    record.runs++;
    record.streams += batch;
    this.#runs++;
  }

  /** A chunk's frames are out, this long after its oldest sound came. */
  step(nowMs: number, tookMs: number): void {
    this.#at(nowMs).steps[bucketOf(tookMs)]!++;
  }

  snapshot(nowMs: number, streams: number, queueDepth: number): CoreStats {
    this.#at(nowMs);
    const seenMs = Math.max(1, Math.min(nowMs - this.#startMs, windowSeconds * 1000 + (nowMs % 1000)));
    const sum = (of: (record: Second) => number) => this.#seconds.reduce((total, record) => total + of(record), 0);
    const recentRuns = sum((record) => record.runs);
    return {
      streams,
      queueDepth,
      stepP95Ms: p95(this.#seconds.map((record) => record.steps)),
      busy: Math.min(1, sum((record) => record.busyMs) / seenMs),
      runs: this.#runs,
      meanBatch: recentRuns === 0 ? 0 : sum((record) => record.streams) / recentRuns,
    };
  }

  /** The record of this second; those of seconds that went by unused are cleared. */
  #at(nowMs: number): Second {
    const current = Math.floor(nowMs / 1000);
    this.#second = Math.max(this.#second, current - this.#seconds.length);
    while (this.#second < current) {
      const next = this.#seconds[++this.#second % this.#seconds.length]!;
      next.busyMs = next.runs = next.streams = 0;
      next.steps.fill(0);
    }
    return this.#seconds[this.#second % this.#seconds.length]!;
  }
}

/** What happened within one second; `steps` by bucket of duration. */
type Second = { busyMs: number; runs: number; streams: number; steps: Uint32Array };

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
