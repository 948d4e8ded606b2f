import { type Impairment, LOST } from './impairment.ts';
import { WaitingLine } from './waiting-line.ts';

const opportunityBytes = 1500;

/**
 * A link recorded as the moments at which it could carry 1,500 bytes (Mahimahi's packet-delivery
 * trace, Netravali et al. 2015). Small packets share a moment, a large one takes several, a moment
 * that finds nothing is lost, and the record starts again after its last moment.
 */
export class LinkTrace implements Impairment {
  private readonly momentsMs: readonly number[];
  private readonly periodUs: number;
  private readonly line: WaitingLine;
  private round = 0;
  private index = 0;
  private leftBytes = opportunityBytes;

  /** momentsMs: never decreasing, the last one above 0. */
  constructor(momentsMs: readonly number[], queuePackets: number) {
    this.momentsMs = momentsMs;
    this.periodUs = momentsMs.at(-1)! * 1000;
    this.line = new WaitingLine(queuePackets);
  }

  pass(atUs: number, bytes: number): number {
    if (this.line.isFull(atUs)) return LOST;
    this.skipTo(atUs);
    let needed = bytes;
    while (needed > this.leftBytes) {
      needed -= this.leftBytes;
      this.step();
    }
    this.leftBytes -= needed;
    const leaveUs = this.momentUs();
    this.line.add(leaveUs);
    return leaveUs;
  }

  private momentUs(): number {
    return this.round * this.periodUs + this.momentsMs[this.index]! * 1000;
  }

  private step(): void {
    this.leftBytes = opportunityBytes;
    this.index++;
    if (this.index < this.momentsMs.length) return;
    this.index = 0;
    this.round++;
  }

  private skipTo(atUs: number): void {
    const round = Math.floor(atUs / this.periodUs);
    if (round > this.round + 1) {
      this.round = round - 1;
      this.index = 0;
      this.leftBytes = opportunityBytes;
    }
    while (this.momentUs() < atUs || this.leftBytes === 0) this.step();
  }
}
