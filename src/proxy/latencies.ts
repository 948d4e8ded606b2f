import { build, type Histogram } from 'hdr-histogram-js';

/** ms; null when nothing was recorded. */
export type Percentiles = {
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  max_ms: number | null;
};

/** How much later than the model said real sockets were written to; ms, null without a write. */
export type Lateness = Omit<Percentiles, 'p95_ms'>;

const hourUs = 3_600_000_000;

/** Latencies from 1 us to an hour, to three significant digits. */
export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: hourUs,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
    autoResize: false,
    useWebAssembly: false,
  });

  get count(): number {
    return this.#histogram.totalCount;
  }

  record(us: number): void {
    this.#histogram.recordValue(Math.min(hourUs, Math.max(0, Math.round(us))));
  }

  read(): Percentiles {
    return {
      p50_ms: this.#at(50),
      p95_ms: this.#at(95),
      p99_ms: this.#at(99),
      max_ms: this.#at(100),
    };
  }

  readLateness(): Lateness {
    return { p50_ms: this.#at(50), p99_ms: this.#at(99), max_ms: this.#at(100) };
  }

  reset(): void {
    this.#histogram.reset();
  }

  #at(percentile: number): number | null {
    return this.count === 0 ? null : this.#histogram.getValueAtPercentile(percentile) / 1000;
  }
}
