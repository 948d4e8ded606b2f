import type { Draws } from '../../stats/draws.ts';
import { type Impairment, LOST } from './impairment.ts';

/** Loses each packet with the same probability, whatever became of the others. */
export class IidLoss implements Impairment {
  private readonly share: number;
  private readonly draws: Draws;

  /** share: 0 to 1. */
  constructor(share: number, draws: Draws) {
    this.share = share;
    this.draws = draws;
  }

  pass(atUs: number): number {
    return this.draws.uniform() < this.share ? LOST : atUs;
  }
}
