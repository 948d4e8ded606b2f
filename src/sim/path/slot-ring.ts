/**
 * A queue of slots of 32-bit numbers, one after another in one array that wraps around. It is as
 * large as what is in it asks for: it grows by half, and halves once three quarters of it are
 * empty, so that a window that was large once is not paid for ever after.
 */
export class SlotRing {
  /**
   * The slots' numbers. Whoever holds on to it reads the slots as they were: a ring that changes
   * its size takes another.
   */
  numbers: Int32Array;
  /** Slots in use. */
  length = 0;
  /** Where the first slot begins. */
  head = 0;
  private readonly stride: number;

  /** stride: numbers a slot. */
  constructor(stride: number) {
    this.stride = stride;
    this.numbers = new Int32Array(fewest * stride);
  }

  /** Where the slot of that place begins, counted from the first in use. */
  at(place: number): number {
    const slot = this.head + place * this.stride;
    return slot < this.numbers.length ? slot : slot - this.numbers.length;
  }

  /** One more slot at the end; it is not cleared. Returns its place. */
  push(): number {
    const slots = this.numbers.length / this.stride;
    if (this.length === slots) this.resize(slots + (slots >> 1));
    return this.length++;
  }

  /** The last slot goes. */
  pop(): void {
    this.length--;
  }

  /** The first slot goes; its numbers stay readable until one is pushed. */
  shift(): void {
    this.head += this.stride;
    if (this.head === this.numbers.length) this.head = 0;
    this.length--;
    const places = this.numbers.length;
    if (4 * this.length * this.stride <= places && places > few * this.stride) this.resize((places / this.stride) >> 1);
  }

  clear(): void {
    this.length = 0;
  }

  /** Copies a slot's numbers. */
  copy(from: number, to: number): void {
    this.numbers.copyWithin(to, from, from + this.stride);
  }

  private resize(slots: number): void {
    const { numbers, head, length, stride } = this;
    const resized = new Int32Array(slots * stride);
    const first = numbers.subarray(head, head + length * stride);
    resized.set(first);
    resized.set(numbers.subarray(0, length * stride - first.length), first.length);
    this.numbers = resized;
    this.head = 0;
  }
}

/** Slots of an empty ring, and so many that fewer are not worth the change. */
const fewest = 4;
const few = 8;
