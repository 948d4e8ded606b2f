/**
 * Where an HDR histogram of three significant digits and a unit of 1 counts a value (Tene's
 * layout): a slot each up to 2,047, then 1,024 slots to each doubling.
 */
const half = 1024;

/** The slot of a whole number from 0 to 2^32 - 1. */
export function slotOf(value: number): number {
  const doublings = 21 - Math.clz32(value | (2 * half - 1));
  return doublings * half + (value >>> doublings);
}

/** The least value of a slot. */
export function leastOf(slot: number): number {
  const doublings = Math.max(0, Math.floor(slot / half) - 1);
  return (slot - doublings * half) * 2 ** doublings;
}

/** Slots for every value from 0 to 2^32 - 1. */
export const slotCount = slotOf(0xffff_ffff) + 1;

/**
 * Values that were recorded since the last look, in the slots of an HDR histogram. Recording is one
 * array store, an eighth of a call into WASM; a dozen are made for each feedback.
 */
export class FreshCounts {
  readonly #counts = new Uint32Array(slotCount);
  /** The slots that hold anything. */
  readonly #touched: number[] = [];

  /** A whole number from 0 to 2^32 - 1. */
  record(value: number): void {
    const slot = slotOf(value);
    const count = this.#counts[slot]!;
    if (count === 0) this.#touched.push(slot);
    this.#counts[slot] = count + 1;
  }

  /** The least value of each slot, how many were in it, and so on in no order; it forgets them. */
  take(): Uint32Array {
    const taken = new Uint32Array(2 * this.#touched.length);
    this.#touched.forEach((slot, i) => {
      taken[2 * i] = leastOf(slot);
      taken[2 * i + 1] = this.#counts[slot]!;
      this.#counts[slot] = 0;
    });
    this.#touched.length = 0;
    return taken;
  }
}
