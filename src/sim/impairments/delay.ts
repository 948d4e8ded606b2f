import { normalCdf } from '../../stats/distributions.ts';
import type { Draws } from '../../stats/draws.ts';
import type { Jitter } from '../profile/profile.ts';
import type { Impairment } from './impairment.ts';

/** The way's length in time: a fixed delay. */
export class Delay implements Impairment {
  private readonly delayUs: number;

  constructor(delayUs: number) {
    this.delayUs = delayUs;
  }

  pass(atUs: number): number {
    return atUs + this.delayUs;
  }
}

/**
 * A delay that varies around its mean. Each draw hangs together with the one before by a normal
 * copula, so that the spread stays what the profile says; netem's own correlation narrows it.
 */
export class JitteredDelay implements Impairment {
  private readonly delayUs: number;
  private readonly jitter: Jitter;
  private readonly draws: Draws;
  private readonly fresh: number;
  private readonly shape: (z: number) => number;
  private z: number;

  constructor(delayUs: number, jitter: Jitter, draws: Draws) {
    this.delayUs = delayUs;
    this.jitter = jitter;
    this.draws = draws;
    this.fresh = Math.sqrt(1 - jitter.correlation ** 2);
    this.shape = shapes[jitter.distribution];
    this.z = draws.normal();
  }

  pass(atUs: number): number {
    this.z = this.jitter.correlation * this.z + this.fresh * this.draws.normal();
    const delayUs = Math.round(this.delayUs + this.jitter.valueUs * this.shape(this.z));
    return atUs + Math.max(0, delayUs);
  }
}

/**
 * Keeps packets in the order in which they came, as cellular links do: one that is early waits for
 * those before it.
 */
export class InOrder implements Impairment {
  private lastUs = 0;

  pass(atUs: number): number {
    this.lastUs = Math.max(this.lastUs, atUs);
    return this.lastUs;
  }
}

/**
 * Maps a standard normal number to one of each shape, in units of the jitter's value, as netem's
 * tables have it.
 */
const shapes: Record<Jitter['distribution'], (z: number) => number> = {
  uniform: (z) => 2 * normalCdf(z) - 1,
  normal: (z) => z,
  pareto,
  paretonormal: (z) => 0.25 * z + 0.75 * pareto(z),
};

/** Shape 3, shifted to mean 0 and scaled as iproute2's pareto table. */
function pareto(z: number): number {
  return (4 / 3) * (Math.max(1 - normalCdf(z), 1e-9) ** (-1 / 3) - 1.5);
}
