/**
 * Timers as Linux keeps them at HZ=250: counted in ticks of 4 ms, rounded up to the granularity of
 * the timer wheel's level (1 tick below 63 ticks, 8 below 504, 64 below 4032, 512 beyond), never
 * early. A timer of n ticks fires n to n + 1 ticks later on the first level, and up to a level's
 * granularity later on the others.
 */
export class Jiffies {
  private readonly phaseUs: number;

  /** phaseUs: how far the machine's clock is ahead of the simulation's. */
  constructor(phaseUs: number) {
    this.phaseUs = phaseUs;
  }

  /** Ticks so far. */
  at(nowUs: number): number {
    return Math.floor((nowUs + this.phaseUs) / tickUs);
  }

  /** When a timer fires that is set at nowUs to so many ticks. */
  fires(nowUs: number, ticks: number): number {
    const expires = this.at(nowUs) + ticks;
    const grain = ticks < 63 ? 1 : ticks < 504 ? 8 : ticks < 4032 ? 64 : 512;
    return (Math.floor(expires / grain) + 1) * grain * tickUs - this.phaseUs;
  }

  /** The clock of TCP timestamps, ms. */
  timestampMs(nowUs: number): number {
    return Math.floor((nowUs + this.phaseUs) / 1000);
  }
}

export const tickUs = 4000;

/** Whole ticks, rounded up. */
export function toTicks(us: number): number {
  return Math.ceil(us / tickUs);
}
