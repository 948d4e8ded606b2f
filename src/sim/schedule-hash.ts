import type { Direction } from './profile/profile.ts';

/**
 * A fingerprint of a schedule: of every delivery, whose it is, which message and when. Two 32-bit
 * FNV-1a hashes (Fowler, Noll, Vo) over the same numbers from different starts, 64 bits in all; the
 * order of calls counts.
 */
export class ScheduleHash {
  private low = 0x811c9dc5;
  private high = 0x050c5d1f;

  /** One delivery. */
  add(client: number, direction: Direction, number: number, atUs: number): void {
    this.mix(client * 2 + (direction === 'up' ? 0 : 1));
    this.mix(number);
    this.mix(atUs % 0x1_0000_0000);
    this.mix(Math.floor(atUs / 0x1_0000_0000));
  }

  /** Sixteen hexadecimal digits. */
  hex(): string {
    return [this.high, this.low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }

  private mix(value: number): void {
    this.low = Math.imul(this.low ^ value, 0x01000193);
    this.low ^= this.low >>> 15;
    this.high = Math.imul(this.high ^ value, 0x01000193) ^ (this.high >>> 13);
  }
}
