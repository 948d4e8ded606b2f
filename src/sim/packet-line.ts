import { LOST } from './impairments/impairment.ts';
import type { Path } from './path.ts';

/** Where each number of a packet stands, from its slot on. */
export const field = { seq: 2, end: 3, ack: 4, stamp: 5, echo: 6, blocks: 7, first: 8 } as const;

const stride = 14;
/** The arrival takes two places: its multiples of this, and the rest. */
const highUs = 2 ** 30;
/**
 * What two hosts take to send and receive a packet. It matters where a round trip is a multiple of the interval between
 * frames: the frame then leaves before the acknowledgement comes.
 */
const hostUs = 20;

/**
 * Packets on their way in one direction, in order of arrival: a ring of (arrival, high and low, first byte, end,
 * acknowledged up to, timestamp, echoed timestamp, number of SACK blocks, negative if the first is a duplicate, three
 * blocks). 32 bits each: two gigabytes a connection.
 */
export class PacketLine {
  /** Flat numbers; `field` says where. */
  ring = new Int32Array(8 * stride);
  dropped = 0;
  private readonly path: Path;
  private head = 0;
  private length = 0;
  private latestUs = LOST;

  constructor(path: Path) {
    this.path = path;
  }

  /** When the next packet arrives, us; Infinity when none is on its way. */
  nextUs(): number {
    return this.length === 0 ? LOST : this.arrivalUs(this.head);
  }

  /** Sends a packet of that many bytes, headers included; the slot of its numbers, to be filled, or -1 if it is lost. */
  send(nowUs: number, bytes: number): number {
    const pathUs = this.path.send(nowUs, bytes);
    this.latestUs = pathUs === LOST ? LOST : pathUs + hostUs;
    return this.follow();
  }

  /** Sends one more that left with the last one in one piece: what became of that becomes of this. */
  follow(): number {
    const arrivalUs = this.latestUs;
    if (arrivalUs === LOST) {
      this.dropped++;
      return -1;
    }
    if ((this.length + 1) * stride > this.ring.length) this.grow();
    let place = this.length++;
    while (place > 0 && this.arrivalUs(this.slot(place - 1)) > arrivalUs) {
      this.ring.copyWithin(this.slot(place), this.slot(place - 1), this.slot(place - 1) + stride);
      place--;
    }
    const slot = this.slot(place);
    this.ring[slot] = Math.floor(arrivalUs / highUs);
    this.ring[slot + 1] = arrivalUs % highUs;
    return slot;
  }

  /** The slot of the packet that arrives next. */
  first(): number {
    return this.head;
  }

  /** The packet has arrived; its numbers stay readable until the next is sent. */
  shift(): void {
    this.head += stride;
    if (this.head === this.ring.length) this.head = 0;
    this.length--;
  }

  /** Forgets all that are on their way. */
  clear(): void {
    this.dropped += this.length;
    this.length = 0;
  }

  private arrivalUs(slot: number): number {
    return this.ring[slot]! * highUs + this.ring[slot + 1]!;
  }

  private slot(place: number): number {
    const slot = this.head + place * stride;
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
