import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
  initWebAssembly,
} from 'hdr-histogram-js';
import type { Distribution } from './definitions.ts';
import { FreshCounts } from './hdr-slots.ts';

/** Must have resolved before the first LatencyHistogram is read. */
export function histogramsReady(): Promise<void> {
  // Once: a second initialisation replaces the memory under the histograms that live.
  ready ??= initWebAssembly();
  return ready;
}

let ready: Promise<void> | undefined;

/** What a shard sends home: HDR V2 (compressed, base64) of us, and how many samples never came. */
export type EncodedHistogram = { hdr: string; never: number };

/**
 * Latencies to three significant digits from 1 us to an hour, and those that never came. Longer
 * ones count as an hour. New ones are counted apart, and settle in the histogram proper before it
 * is read. Holds 92 KiB of WASM memory from then on until it is disposed of.
 */
export class LatencyHistogram implements Distribution, Disposable {
  #hdr: Histogram | undefined;
  #fresh: FreshCounts | undefined;
  #never = 0;

  constructor(encoded?: EncodedHistogram) {
    // Never `packed`: it is slow to record into.
    if (encoded) this.#hdr = decodeFromCompressedBase64(encoded.hdr, bucketBits, true);
    this.#never = encoded?.never ?? 0;
  }

  get samples(): number {
    return this.#came + this.#never;
  }

  /** Samples of infinite latency. */
  get never(): number {
    return this.#never;
  }

  /** Mean of the samples that came, ms; NaN without any. */
  get meanMs(): number {
    return this.#came === 0 ? Number.NaN : this.#hdr!.mean / 1000;
  }

  /** Standard deviation of the samples that came, ms; NaN without any. */
  get deviationMs(): number {
    return this.#came === 0 ? Number.NaN : this.#hdr!.stdDeviation / 1000;
  }

  /** A negative latency (a clock's rounding) counts as 0; Infinity never came. */
  record(ms: number): void {
    if (ms === Number.POSITIVE_INFINITY) {
      this.#never += 1;
      return;
    }
    this.#fresh ??= new FreshCounts();
    this.#fresh.record(wholeUs(ms));
  }

  /** Records a latency that `takeFresh` will not report. */
  recordQuietly(ms: number): void {
    if (ms === Number.POSITIVE_INFINITY) this.#never += 1;
    else this.#proper.recordValue(wholeUs(ms));
  }

  /**
   * What `record` took since it was last settled, by this call or by a read: us, how many, us, how
   * many ..., in no order. It joins the rest.
   */
  takeFresh(): Uint32Array {
    const fresh = this.#fresh?.take() ?? nothing;
    for (let i = 0; i < fresh.length; i += 2) this.#proper.recordValueWithCount(fresh[i]!, fresh[i + 1]!);
    return fresh;
  }

  recordNever(count: number): void {
    this.#never += count;
  }

  valueAtRank(rank: number): number {
    const came = this.#came;
    if (rank > came) return Number.POSITIVE_INFINITY;
    // Half a rank below: the histogram rounds the percentile up to the next whole count.
    return this.#hdr!.getValueAtPercentile(((rank - 0.5) / came) * 100) / 1000;
  }

  add(other: LatencyHistogram): void {
    this.#never += other.#never;
    const hdr = other.#settled;
    if (hdr) this.#proper.add(hdr);
  }

  encode(): EncodedHistogram {
    const settled = this.#settled;
    const hdr = settled ?? newHdr();
    const encoded = { hdr: encodeIntoCompressedBase64(hdr), never: this.#never };
    if (!settled) hdr.destroy();
    return encoded;
  }

  [Symbol.dispose](): void {
    this.#hdr?.destroy();
    this.#hdr = undefined;
    this.#fresh = undefined;
  }

  get #came(): number {
    return this.#settled?.totalCount ?? 0;
  }

  /** With everything that was recorded; undefined when nothing was. */
  get #settled(): Histogram | undefined {
    this.takeFresh();
    return this.#hdr;
  }

  get #proper(): Histogram {
    this.#hdr ??= newHdr();
    return this.#hdr;
  }
}

const nothing = new Uint32Array(0);

function wholeUs(ms: number): number {
  return Math.min(range.highestTrackableValue, Math.max(0, Math.round(ms * 1000)));
}

const range = {
  lowestDiscernibleValue: 1,
  highestTrackableValue: 3_600_000_000,
  numberOfSignificantValueDigits: 3,
} as const;

/**
 * Four thousand million samples in one bucket are enough; 64 bits would take twice the memory for
 * each slice.
 */
const bucketBits = 32;

function newHdr(): Histogram {
  return build({ ...range, bitBucketSize: bucketBits, autoResize: false, useWebAssembly: true });
}
