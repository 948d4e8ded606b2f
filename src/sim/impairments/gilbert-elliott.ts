import type { Draws } from '../../stats/draws.ts';
import type { Loss } from '../profile/profile.ts';
import { type Impairment, LOST } from './impairment.ts';

type Chain = Extract<Loss, { clock: 'packet' }>;

/**
 * Loss in bursts, clocked by packets as netem's `gemodel p r 1-h 1-k` is: each packet first moves
 * the state, then is lost with the loss of the state it finds. The state stands still while nothing
 * is sent, so a sender that backs off meets the bad state again and again; where that is not meant,
 * use the clock of time.
 */
export class GilbertElliott implements Impairment {
  private readonly chain: Chain;
  private readonly draws: Draws;
  private bad = false;

  constructor(chain: Chain, draws: Draws) {
    this.chain = chain;
    this.draws = draws;
  }

  pass(atUs: number): number {
    const { p, r, lossGood, lossBad } = this.chain;
    if (this.draws.uniform() < (this.bad ? r : p)) this.bad = !this.bad;
    return this.draws.uniform() < (this.bad ? lossBad : lossGood) ? LOST : atUs;
  }
}
