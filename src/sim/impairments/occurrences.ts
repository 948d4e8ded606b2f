import type { Draws } from '../../stats/draws.ts';
import type { Schedule } from '../profile/profile.ts';

/** When an event of a profile happens, one time after another. */
export class Occurrences {
  /** us; infinite when it never happens again. */
  nextUs: number;
  private readonly when: Schedule;
  private readonly draws: Draws;

  /**
   * A repeated event first happens at a random moment of its first period, so that devices do not
   * act as one.
   */
  constructor(when: Schedule, draws: Draws) {
    this.when = when;
    this.draws = draws;
    this.nextUs = 'atUs' in when ? when.atUs : Math.round(when.everyUs * draws.uniform());
  }

  /** Goes on to the next time. */
  step(): void {
    if ('atUs' in this.when) this.nextUs = Number.POSITIVE_INFINITY;
    else {
      const { everyUs, spreadUs } = this.when;
      this.nextUs += Math.max(1, Math.round(everyUs + spreadUs * (2 * this.draws.uniform() - 1)));
    }
  }
}
