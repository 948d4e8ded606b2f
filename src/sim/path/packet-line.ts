import { LOST } from '../impairments/impairment.ts';
import type { Path } from './path.ts';
import { SlotRing } from './slot-ring.ts';

/** Where each number of a packet stands, from its slot on. */
export const field = { seq: 2, end: 3, ack: 4, stamp: 5, echo: 6, flags: 7, first: 8 } as const;
/**
 * Bits of `flags`: how many SACK blocks follow, whether the first is a duplicate, and TCP's PSH.
 */
export const BLOCKS = 3;
export const DUPLICATE = 4;
export const PUSHED = 8;

const stride = 14;
/** The arrival takes two places: its multiples of this, and the rest. */
const highUs = 2 ** 30;
/**
 * What two hosts take to send and receive a packet. It matters where a round trip is a multiple of
 * the interval between frames: the frame then leaves before the acknowledgement comes.
 */
const hostUs = 20;

/**
 * Packets on their way in one direction, in order of arrival: a ring of (arrival, high and low,
 * first byte, end, acknowledged up to, timestamp, echoed timestamp, flags, three SACK blocks). 32
 * bits each: two gigabytes a connection.
 */
export class PacketLine {
  dropped = 0;
  private readonly path: Path;
  private readonly packets = new SlotRing(stride);
  private latestUs = LOST;

  constructor(path: Path) {
    this.path = path;
  }

  /** Flat numbers; `field` says where. Another array after a packet was sent or has arrived. */
  get ring(): Int32Array {
    return this.packets.numbers;
  }

  /** When the next packet arrives, us; Infinity when none is on its way. */
  nextUs(): number {
    return this.packets.length === 0 ? LOST : this.arrivalUs(this.packets.head);
  }

  /**
   * Sends a packet of that many bytes, headers included; the slot of its numbers, to be filled, or
   * -1 if it is lost.
   */
  send(nowUs: number, bytes: number): number {
    const pathUs = this.path.send(nowUs, bytes);
    this.latestUs = pathUs === LOST ? LOST : pathUs + hostUs;
    return this.follow();
  }

  /**
   * Sends one more that left with the last one in one piece: what became of that becomes of this.
   */
  follow(): number {
    const arrivalUs = this.latestUs;
    if (arrivalUs === LOST) {
      this.dropped++;
      return -1;
    }
    const { packets } = this;
    let place = packets.push();
    let slot = packets.at(place);
    while (place > 0) {
      const before = packets.at(place - 1);
      if (this.arrivalUs(before) <= arrivalUs) break;
      packets.copy(before, slot);
      slot = before;
      place--;
    }
    packets.numbers[slot] = Math.floor(arrivalUs / highUs);
    packets.numbers[slot + 1] = arrivalUs % highUs;
    return slot;
  }

  /** The slot of the packet that arrives next. */
  first(): number {
    return this.packets.head;
  }

  /** The packet has arrived; its numbers stay readable in `ring` as it was. */
  shift(): void {
    this.packets.shift();
  }

  /** Forgets all that are on their way. */
  clear(): void {
    this.dropped += this.packets.length;
    this.packets.clear();
  }

  private arrivalUs(slot: number): number {
    const { numbers } = this.packets;
    return numbers[slot]! * highUs + numbers[slot + 1]!;
  }
}
