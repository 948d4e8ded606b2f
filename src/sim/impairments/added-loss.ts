import type { Draws } from '../../stats/draws.ts';
import { type Impairment, LOST } from './impairment.ts';

/** Loses packets beside what the network loses by itself, for spells that somebody begins. */
export class AddedLoss implements Impairment {
  private readonly draws: Draws;
  private readonly spells: { share: number; untilUs: number }[] = [];

  constructor(draws: Draws) {
    this.draws = draws;
  }

  /** From now on; share: 0 to 1. Spells that overlap lose each for itself. */
  begin(share: number, untilUs: number): void {
    this.spells.push({ share, untilUs });
  }

  pass(atUs: number): number {
    let isLost = false;
    for (let index = this.spells.length - 1; index >= 0; index--) {
      const { share, untilUs } = this.spells[index]!;
      if (untilUs <= atUs) this.spells.splice(index, 1);
      else if (this.draws.uniform() < share) isLost = true;
    }
    return isLost ? LOST : atUs;
  }
}
