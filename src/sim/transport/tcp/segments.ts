import { SlotRing } from '../../path/slot-ring.ts';

/** What the sender knows of a segment: bits. */
export const SACKED = 1;
export const LOST_MARK = 2;
/** Sent again, and that copy is thought to be on its way. */
export const RETRANSMITTED = 4;
/** Sent again at some time. */
export const EVER_RETRANSMITTED = 8;

/** Left in one piece with the segment before it. */
export const JOINED = 16;
/** The last of what was written when it was sent first. */
export const LAST_WRITTEN = 32;

const stride = 6;
/** The time of sending takes two places: its multiples of this, and the rest. */
const highUs = 2 ** 30;

/**
 * Segments sent and not yet acknowledged, in order of sequence: a ring of (first byte, end, sent
 * at, high and low, marks, packets delivered before it was sent). Indexes count from the oldest.
 */
export class Segments {
  private readonly ring = new SlotRing(stride);

  get length(): number {
    return this.ring.length;
  }

  seq(index: number): number {
    return this.ring.numbers[this.ring.at(index)]!;
  }

  end(index: number): number {
    return this.ring.numbers[this.ring.at(index) + 1]!;
  }

  sentUs(index: number): number {
    const { numbers } = this.ring;
    const slot = this.ring.at(index);
    return numbers[slot + 2]! * highUs + numbers[slot + 3]!;
  }

  marks(index: number): number {
    return this.ring.numbers[this.ring.at(index) + 4]!;
  }

  deliveredBefore(index: number): number {
    return this.ring.numbers[this.ring.at(index) + 5]!;
  }

  setSent(index: number, atUs: number, delivered: number): void {
    const { numbers } = this.ring;
    const slot = this.ring.at(index);
    numbers[slot + 2] = Math.floor(atUs / highUs);
    numbers[slot + 3] = atUs % highUs;
    numbers[slot + 5] = delivered;
  }

  setMarks(index: number, marks: number): void {
    this.ring.numbers[this.ring.at(index) + 4] = marks;
  }

  push(seq: number, end: number, sentUs: number, delivered: number): void {
    const index = this.ring.push();
    const { numbers } = this.ring;
    const slot = this.ring.at(index);
    numbers[slot] = seq;
    numbers[slot + 1] = end;
    numbers[slot + 4] = 0;
    this.setSent(index, sentUs, delivered);
  }

  shift(): void {
    this.ring.shift();
  }

  /** The first byte of the oldest goes forward. */
  trimFirst(seq: number): void {
    this.ring.numbers[this.ring.head] = seq;
  }

  /** The segment takes over the bytes of the next one, which is gone then. */
  mergeNext(index: number): void {
    const { ring } = this;
    ring.numbers[ring.at(index) + 1] = this.end(index + 1);
    for (let place = index + 1; place + 1 < ring.length; place++) ring.copy(ring.at(place + 1), ring.at(place));
    ring.pop();
  }
}
