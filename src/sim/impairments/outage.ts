import type { Gaps } from './gaps.ts';
import { type Impairment, LOST } from './impairment.ts';

/**
 * Gaps in which nothing passes: packets are kept until the gap ends, or dropped, as the gap's mode
 * says.
 */
export class Outage implements Impairment {
  private readonly gaps: Gaps;

  constructor(gaps: Gaps) {
    this.gaps = gaps;
  }

  pass(atUs: number): number {
    const gap = this.gaps.around(atUs);
    if (gap === undefined) return atUs;
    return gap.mode === 'drop' ? LOST : gap.endUs;
  }
}
