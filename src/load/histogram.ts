import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
  initWebAssembly,
} from 'hdr-histogram-js';
import type { Distribution } from '../slo/metrics.ts';

/** Must have resolved before the first LatencyHistogram is made: the WASM build records in 16 ns, the JS one in 90. */
export function histogramsReady(): Promise<void> {
  // Once: a second initialisation replaces the memory under the histograms that live.
  ready ??= initWebAssembly();
  return ready;
}

let ready: Promise<void> | undefined;

/** What a shard sends home: HDR V2 (compressed, base64) of us, and how many samples never came. */
export type EncodedHistogram = { hdr: string; never: number };

/**
 * Latencies to three significant digits from 1 us to an hour, and those that never came. Longer ones count as an hour.
 * Holds WASM memory until `destroy`.
 */
export class LatencyHistogram implements Distribution {
  readonly #hdr: Histogram;
  #never = 0;

  constructor(encoded?: EncodedHistogram) {
    // Never `packed`: it is slow to record into.
    this.#hdr = encoded
      ? decodeFromCompressedBase64(encoded.hdr, 64, true)
      : build({ ...range, bitBucketSize: 64, autoResize: false, useWebAssembly: true });
    this.#never = encoded?.never ?? 0;
  }

  get samples(): number {
    return this.#hdr.totalCount + this.#never;
  }

  /** Samples of infinite latency. */
  get never(): number {
    return this.#never;
  }

  /** Mean of the samples that came, ms; NaN without any. */
  get meanMs(): number {
    return this.#hdr.totalCount === 0 ? Number.NaN : this.#hdr.mean / 1000;
  }

  /** A negative latency (a clock's rounding) counts as 0. */
  record(ms: number): void {
    this.#hdr.recordValue(Math.min(range.highestTrackableValue, Math.max(0, Math.round(ms * 1000))));
  }

  recordNever(count: number): void {
    this.#never += count;
  }

  valueAtRank(rank: number): number {
    const came = this.#hdr.totalCount;
    if (rank > came) return Number.POSITIVE_INFINITY;
    // Half a rank below: the histogram rounds the percentile up to the next whole count.
    return this.#hdr.getValueAtPercentile(((rank - 0.5) / came) * 100) / 1000;
  }

  add(other: LatencyHistogram): void {
    this.#hdr.add(other.#hdr);
    this.#never += other.#never;
  }

  encode(): EncodedHistogram {
    return { hdr: encodeIntoCompressedBase64(this.#hdr), never: this.#never };
  }

  destroy(): void {
    this.#hdr.destroy();
  }
}

const range = {
  lowestDiscernibleValue: 1,
  highestTrackableValue: 3_600_000_000,
  numberOfSignificantValueDigits: 3,
} as const;
