import { dollars } from '../format.ts';
import { costLimit } from '../results/cost.ts';
import type { LoadReport } from '../results/report.ts';
import type { Bill } from './scenario/prepare.ts';

/** What the loads of a search cost together, of what they may: `spec.cost.most`. */
export class Purse {
  #spent = 0;
  /** Why it pays no more, in words. */
  problem: string | undefined;

  get hasPaid(): boolean {
    return this.#spent > 0;
  }

  /** Whether there is enough left for this load, which is then taken out. */
  pays({ dollars: cost = 0, most = Number.POSITIVE_INFINITY }: Bill): boolean {
    const wanted = this.#spent + cost;
    if (wanted > most) {
      this.problem = `the next load would bring the bill to ${dollars(wanted)}, beyond the ${dollars(most)} of spec.cost.most`;
      return false;
    }
    this.#spent = wanted;
    return true;
  }

  /** Whether a load cost more than was planned, and was ended for that. */
  isEmptiedBy({ aborted }: Pick<LoadReport, 'aborted'>): boolean {
    if (aborted?.objective !== costLimit) return false;
    this.problem = `${aborted.objective}: ${aborted.reason}`;
    return true;
  }
}
