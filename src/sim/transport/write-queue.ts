import type { Direction } from '../profile/profile.ts';
import type { Transport } from './transport.ts';

/**
 * What the applications have written and the transport has not yet been given, in the order
 * written: each write is done when the simulation has come to its time, so that what happened
 * before it has happened.
 */
export class WriteQueue {
  private readonly atUs: number[] = [];
  private readonly sizes: number[] = [];
  private first = 0;
  private openUs = Number.POSITIVE_INFINITY;
  private extraBytes = 0;

  push(direction: Direction, bytes: number, nowUs: number): void {
    this.atUs.push(nowUs);
    this.sizes.push(direction === 'up' ? bytes : -bytes);
  }

  /** From now on writes are done, each with so many bytes more. */
  open(atUs: number, extraBytes: number): void {
    this.openUs = atUs;
    this.extraBytes = extraBytes;
  }

  nextUs(): number {
    return this.first === this.atUs.length ? Number.POSITIVE_INFINITY : Math.max(this.atUs[this.first]!, this.openUs);
  }

  /** Does the first of them. */
  take(transport: Transport): void {
    const nowUs = this.nextUs();
    const size = this.sizes[this.first++]!;
    if (this.first === this.atUs.length) this.atUs.length = this.sizes.length = this.first = 0;
    transport.write(size > 0 ? 'up' : 'down', Math.abs(size) + this.extraBytes, nowUs);
  }

  /** Bytes that wait in that direction. */
  bytes(direction: Direction): number {
    let sum = 0;
    for (let at = this.first; at < this.sizes.length; at++) {
      if (this.sizes[at]! > 0 === (direction === 'up')) sum += Math.abs(this.sizes[at]!);
    }
    return sum;
  }
}
