import type { Draws } from '../../stats/draws.ts';
import type { Loss } from '../profile/profile.ts';
import { type Impairment, LOST } from './impairment.ts';

type Dwells = Extract<Loss, { clock: 'time' }>;

/**
 * Loss in bursts, clocked by time: good and bad spells of exponential length follow one another
 * whether anything is sent or not, as on a radio link that fades (Gilbert 1960, Elliott 1963, in
 * continuous time).
 */
export class Fading implements Impairment {
  private readonly dwells: Dwells;
  private readonly spells: Draws;
  private readonly draws: Draws;
  private bad: boolean;
  private flipUs: number;

  /** Starts in its steady state: bad with the share of time that is bad. */
  constructor(dwells: Dwells, spells: Draws, draws: Draws) {
    this.dwells = dwells;
    this.spells = spells;
    this.draws = draws;
    this.bad = spells.uniform() < dwells.badUs / (dwells.badUs + dwells.goodUs);
    this.flipUs = this.spell();
  }

  pass(atUs: number): number {
    while (this.flipUs <= atUs) {
      this.bad = !this.bad;
      this.flipUs += this.spell();
    }
    const loss = this.bad ? this.dwells.lossBad : this.dwells.lossGood;
    return this.draws.uniform() < loss ? LOST : atUs;
  }

  private spell(): number {
    return Math.max(1, Math.round(this.spells.exponential(this.bad ? this.dwells.badUs : this.dwells.goodUs)));
  }
}
