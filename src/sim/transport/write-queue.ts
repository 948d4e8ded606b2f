import type { Direction } from '../profile/profile.ts';
import type { Transport } from './transport.ts';

/**
 * What the applications have written and the transport has not yet been given, in the order
 * written: each write is done when the simulation has come to its time, so that what happened
 * before it has happened.
 */
export class WriteQueue {
  private readonly lanes = { up: newLane(), down: newLane() };
  private extraBytes = 0;
  private written = 0;

  push(direction: Direction, bytes: number, nowUs: number): void {
    const lane = this.lanes[direction];
    lane.atUs.push(nowUs);
    lane.sizes.push(bytes);
    lane.numbers.push(this.written++);
  }

  /**
   * From now on writes are done, each with so many bytes more; those of the server from
   * `acceptedUs` on, when it has heard that the connection is there.
   */
  open(atUs: number, extraBytes: number, acceptedUs = atUs): void {
    this.lanes.up.openUs = atUs;
    this.lanes.down.openUs = acceptedUs;
    this.extraBytes = extraBytes;
  }

  nextUs(): number {
    return Math.min(dueUs(this.lanes.up), dueUs(this.lanes.down));
  }

  /** Does the first of them. */
  take(transport: Transport): void {
    const { up, down } = this.lanes;
    const nowUs = this.nextUs();
    const isUp =
      dueUs(up) < dueUs(down) || (dueUs(up) === dueUs(down) && up.numbers[up.first]! < down.numbers[down.first]!);
    const lane = isUp ? up : down;
    const size = lane.sizes[lane.first++]!;
    if (lane.first === lane.atUs.length) lane.atUs.length = lane.sizes.length = lane.numbers.length = lane.first = 0;
    transport.write(isUp ? 'up' : 'down', size + this.extraBytes, nowUs);
  }

  /** Bytes that wait in that direction. */
  bytes(direction: Direction): number {
    const { sizes, first } = this.lanes[direction];
    let sum = 0;
    for (let at = first; at < sizes.length; at++) sum += sizes[at]!;
    return sum;
  }
}

type Lane = {
  atUs: number[];
  sizes: number[];
  /** In which order they were made, in both directions. */
  numbers: number[];
  first: number;
  openUs: number;
};

function newLane(): Lane {
  return { atUs: [], sizes: [], numbers: [], first: 0, openUs: Number.POSITIVE_INFINITY };
}

function dueUs({ atUs, first, openUs }: Lane): number {
  return first === atUs.length ? Number.POSITIVE_INFINITY : Math.max(atUs[first]!, openUs);
}
