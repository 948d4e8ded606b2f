/** What the sender knows of a segment: bits. */
export const SACKED = 1;
export const LOST_MARK = 2;
/** Sent again, and that copy is thought to be on its way. */
export const RETRANSMITTED = 4;
/** Sent again at some time. */
export const EVER_RETRANSMITTED = 8;

/** Left in one piece with the segment before it. */
export const JOINED = 16;

const stride = 6;
/** The time of sending takes two places: its multiples of this, and the rest. */
const highUs = 2 ** 30;

/**
 * Segments sent and not yet acknowledged, in order of sequence: a ring of (first byte, end, sent at, high and low,
 * marks, packets delivered before it was sent), 32 bits each. Indexes count
 * from the oldest.
 */
export class Segments {
  length = 0;
  private ring = new Int32Array(8 * stride);
  private head = 0;

  seq(index: number): number {
    return this.ring[this.slot(index)]!;
  }

  end(index: number): number {
    return this.ring[this.slot(index) + 1]!;
  }

  sentUs(index: number): number {
    const slot = this.slot(index);
    return this.ring[slot + 2]! * highUs + this.ring[slot + 3]!;
  }

  marks(index: number): number {
    return this.ring[this.slot(index) + 4]!;
  }

  deliveredBefore(index: number): number {
    return this.ring[this.slot(index) + 5]!;
  }

  setSent(index: number, atUs: number, delivered: number): void {
    const slot = this.slot(index);
    this.ring[slot + 2] = Math.floor(atUs / highUs);
    this.ring[slot + 3] = atUs % highUs;
    this.ring[slot + 5] = delivered;
  }

  setMarks(index: number, marks: number): void {
    this.ring[this.slot(index) + 4] = marks;
  }

  push(seq: number, end: number, sentUs: number, delivered: number): void {
    if ((this.length + 1) * stride > this.ring.length) this.grow();
    const index = this.length++;
    const slot = this.slot(index);
    this.ring[slot] = seq;
    this.ring[slot + 1] = end;
    this.ring[slot + 4] = 0;
    this.setSent(index, sentUs, delivered);
  }

  shift(): void {
    this.head = (this.head + stride) % this.ring.length;
    this.length--;
  }

  /** The first byte of the oldest goes forward. */
  trimFirst(seq: number): void {
    this.ring[this.head] = seq;
  }

  /** The segment takes over the bytes of the next one, which is gone then. */
  mergeNext(index: number): void {
    this.ring[this.slot(index) + 1] = this.end(index + 1);
    for (let at = index + 1; at + 1 < this.length; at++) {
      const to = this.slot(at);
      const from = this.slot(at + 1);
      for (let field = 0; field < stride; field++) this.ring[to + field] = this.ring[from + field]!;
    }
    this.length--;
  }

  private slot(index: number): number {
    const slot = this.head + index * stride;
    return slot < this.ring.length ? slot : slot - this.ring.length;
  }

  private grow(): void {
    const slots = this.ring.length / stride;
    const larger = new Int32Array((slots + (slots >> 1)) * stride);
    larger.set(this.ring.subarray(this.head));
    larger.set(this.ring.subarray(0, this.head), this.ring.length - this.head);
    this.ring = larger;
    this.head = 0;
  }
}
