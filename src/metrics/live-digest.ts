import type { Distribution } from './definitions.ts';

/** Samples added to a digest since it was last asked: bucket, count, bucket, count ...; and those that never came. */
export type DigestDelta = { counts: readonly number[]; never: number };

/**
 * Latencies in buckets 1.6 % wide at most, for looking at a test while it runs: what is new since the last look is small to
 * send. Reports are made from LatencyHistogram, which is exact to 0.1 %.
 */
export class LiveDigest implements Distribution {
  readonly #counts = new Uint32Array(buckets);
  /** What is new since the last delta: the buckets, and how much was in each at that time. */
  readonly #touched: number[] = [];
  readonly #reported = new Uint32Array(buckets);
  #came = 0;
  #never = 0;
  #freshNever = 0;

  get samples(): number {
    return this.#came + this.#never;
  }

  get never(): number {
    return this.#never;
  }

  get meanMs(): number {
    return this.#came === 0 ? Number.NaN : this.#moment((ms) => ms) / this.#came;
  }

  get deviationMs(): number {
    const mean = this.meanMs;
    return Math.sqrt(this.#moment((ms) => (ms - mean) ** 2) / this.#came);
  }

  /** So many of one latency. Below 0 counts as 0; Infinity never came. */
  record(ms: number, count = 1): void {
    if (ms === Number.POSITIVE_INFINITY) {
      this.recordNever(count);
      return;
    }
    const bucket = bucketOf(ms);
    if (this.#counts[bucket] === this.#reported[bucket]) this.#touched.push(bucket);
    this.#put(bucket, count);
  }

  recordNever(count: number): void {
    this.#never += count;
    this.#freshNever += count;
  }

  /** The lower edge of the bucket: a sample is at least this large. */
  valueAtRank(rank: number): number {
    if (rank > this.#came) return Number.POSITIVE_INFINITY;
    let seen = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= rank) return lowerEdge(bucket);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** What came since the last call; undefined for nothing. */
  takeDelta(): DigestDelta | undefined {
    if (this.#touched.length === 0 && this.#freshNever === 0) return undefined;
    const counts = this.#touched.flatMap((bucket) => [bucket, this.#counts[bucket]! - this.#reported[bucket]!]);
    const delta = { counts, never: this.#freshNever };
    for (const bucket of this.#touched) this.#reported[bucket] = this.#counts[bucket]!;
    this.#touched.length = 0;
    this.#freshNever = 0;
    return delta;
  }

  /** Adds what another digest saw; it is not part of this one's own delta. */
  add({ counts, never }: DigestDelta): void {
    for (let i = 0; i < counts.length; i += 2) {
      this.#put(counts[i]!, counts[i + 1]!);
      this.#reported[counts[i]!]! += counts[i + 1]!;
    }
    this.#never += never;
  }

  merge(other: LiveDigest): void {
    for (let bucket = 0; bucket < buckets; bucket++) this.#counts[bucket]! += other.#counts[bucket]!;
    this.#came += other.#came;
    this.#never += other.#never;
  }

  #moment(of: (ms: number) => number): number {
    return this.#counts.reduce((sum, count, bucket) => (count === 0 ? sum : sum + count * of(lowerEdge(bucket))), 0);
  }

  #put(bucket: number, count: number): void {
    this.#counts[bucket]! += count;
    this.#came += count;
  }
}

/**
 * The first bits of a float32 are its exponent and then its mantissa: cut behind six bits of mantissa they number
 * buckets whose edges grow by 1.6 % at most, in the order of their values. The first bucket holds all below 1 us.
 */
const cut = 17;
const bits = new DataView(new ArrayBuffer(4));
const firstBits = bitsOf(0.001);
const buckets = bitsOf(3_600_000) - firstBits + 2;

function bucketOf(ms: number): number {
  return Math.min(buckets - 1, Math.max(0, bitsOf(Math.max(0, ms)) - firstBits + 1));
}

function lowerEdge(bucket: number): number {
  if (bucket === 0) return 0;
  bits.setInt32(0, (bucket - 1 + firstBits) << cut);
  return bits.getFloat32(0);
}

function bitsOf(ms: number): number {
  bits.setFloat32(0, ms);
  return bits.getInt32(0) >>> cut;
}
