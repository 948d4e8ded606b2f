/**
 * Values that were recorded since the last look, counted in the buckets of an HDR histogram of three significant digits and a
 * unit of 1 (Tene's layout: 1,024 buckets to each power of two above 2,048). Recording is one array store, an eighth of a call
 * into WASM; a dozen are made for each feedback.
 */
export class FreshCounts {
  readonly #counts = new Uint32Array(bucketOf(largest) + 1);
  /** The buckets that hold anything. */
  readonly #touched: number[] = [];

  /** A whole number from 0 to 2^32 - 1. */
  record(value: number): void {
    const bucket = bucketOf(value);
    const count = this.#counts[bucket]!;
    if (count === 0) this.#touched.push(bucket);
    this.#counts[bucket] = count + 1;
  }

  get empty(): boolean {
    return this.#touched.length === 0;
  }

  /** Tells the least value of each bucket and how many there were in it, in no order, and forgets them. */
  take(tell: (value: number, count: number) => void): void {
    for (const bucket of this.#touched) {
      tell(leastOf(bucket), this.#counts[bucket]!);
      this.#counts[bucket] = 0;
    }
    this.#touched.length = 0;
  }
}

const largest = 0xffff_ffff;

function bucketOf(value: number): number {
  const power = 21 - Math.clz32(value | 2047);
  return (power << 10) + (value >>> power);
}

function leastOf(bucket: number): number {
  const power = Math.max(0, (bucket >> 10) - 1);
  return (bucket - power * 1024) * 2 ** power;
}
