import { leastOf, slotOf } from './hdr-slots.ts';

/**
 * Values that were recorded since the last look, in the slots of an HDR histogram. Recording is one array store, an eighth of
 * a call into WASM; a dozen are made for each feedback.
 */
export class FreshCounts {
  readonly #counts = new Uint32Array(slotOf(largest) + 1);
  /** The slots that hold anything. */
  readonly #touched: number[] = [];

  /** A whole number from 0 to 2^32 - 1. */
  record(value: number): void {
    const slot = slotOf(value);
    const count = this.#counts[slot]!;
    if (count === 0) this.#touched.push(slot);
    this.#counts[slot] = count + 1;
  }

  get empty(): boolean {
    return this.#touched.length === 0;
  }

  /** Tells the least value of each slot and how many there were in it, in no order, and forgets them. */
  take(tell: (value: number, count: number) => void): void {
    for (const slot of this.#touched) {
      tell(leastOf(slot), this.#counts[slot]!);
      this.#counts[slot] = 0;
    }
    this.#touched.length = 0;
  }
}

const largest = 0xffff_ffff;
