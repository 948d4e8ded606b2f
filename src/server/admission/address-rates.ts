import { type Amount, TokenBucket } from './token-bucket.ts';

export type AddressRatesOptions = {
  /** What each address may do a second on and on, and at once. */
  perSecond: Amount;
  burst: Amount;
  /** Addresses that are remembered: the one that was counted longest ago is forgotten. */
  mostAddresses: () => number;
  /** Monotonic, ms. */
  now(): number;
};

/** A rate for each address, of those that came last. */
export class AddressRates {
  readonly #options: AddressRatesOptions;
  /** In the order in which they were counted last. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(options: AddressRatesOptions) {
    this.#options = options;
  }

  /** Counts one of this address: 0 when it may, else in how many ms it may. */
  take(address: string): number {
    const { perSecond, burst, mostAddresses, now } = this.#options;
    const nowMs = now();
    const bucket = this.#buckets.get(address) ?? new TokenBucket(perSecond, burst, nowMs);
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined && this.#buckets.size > mostAddresses()) this.#buckets.delete(oldest);
    return bucket.take(nowMs);
  }

  /** What `take` would say. */
  waitMs(address: string): number {
    return this.#buckets.get(address)?.waitMs(this.#options.now()) ?? 0;
  }
}
