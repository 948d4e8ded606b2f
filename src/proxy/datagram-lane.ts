import { LOST } from '../sim/impairments/impairment.ts';
import { Path } from '../sim/path/path.ts';
import type { Direction, NetworkProfile } from '../sim/profile/profile.ts';
import { udpHeaderBytes } from '../sim/wire-bytes.ts';
import type { DrawKey } from '../stats/draws.ts';

/** A datagram on its way: when it was read, and when it is to be passed on. */
export type WaitingDatagram = { bytes: Buffer; readUs: number; atUs: number };

/** What becomes of a datagram that comes in. */
export type Fate = 'waits' | 'lost' | 'queue full';

/** One direction of a client's network: datagrams that wait for the time at which they arrive. */
export class DatagramLane {
  readonly #path: Path;
  /** In order of arrival, the first at `#first`; what is before it has gone. */
  #waiting: WaitingDatagram[] = [];
  #first = 0;

  constructor(profile: NetworkProfile, direction: Direction, key: DrawKey) {
    this.#path = new Path(profile, direction, key);
  }

  /** When the next one arrives, us; Infinity when none is on its way. */
  get nextUs(): number {
    return this.#waiting[this.#first]?.atUs ?? LOST;
  }

  /** Sends one over the path at nowUs, which never decreases. */
  send(bytes: Buffer, nowUs: number): Fate {
    const atUs = this.#path.send(nowUs, bytes.length + udpHeaderBytes);
    if (atUs === LOST) return this.#path.queueWasFull ? 'queue full' : 'lost';
    const waiting = this.#waiting;
    let place = waiting.length;
    while (place > this.#first && waiting[place - 1]!.atUs > atUs) place--;
    waiting.splice(place, 0, { bytes, readUs: nowUs, atUs });
    return 'waits';
  }

  /** Takes the next one out; only while there is one. */
  take(): WaitingDatagram {
    const taken = this.#waiting[this.#first++]!;
    if (this.#first >= 64 && this.#first * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return taken;
  }

  /** Takes out all that are on their way. */
  clear(): readonly WaitingDatagram[] {
    const cleared = this.#waiting.slice(this.#first);
    this.#waiting = [];
    this.#first = 0;
    return cleared;
  }
}
