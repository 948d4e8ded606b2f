import { type Impairment, LOST } from './impairment.ts';
import { WaitingLine } from './waiting-line.ts';

/**
 * A link that sends one packet after another at its rate, with a queue before it that drops what
 * finds it full.
 */
export class RateQueue implements Impairment {
  private readonly usPerByte: number;
  private readonly line: WaitingLine;
  private busyUntilUs = 0;

  constructor(bitsPerSecond: number, queuePackets: number) {
    this.usPerByte = 8e6 / bitsPerSecond;
    this.line = new WaitingLine(queuePackets);
  }

  pass(atUs: number, bytes: number): number {
    if (this.line.isFull(atUs)) return LOST;
    this.busyUntilUs = Math.round(Math.max(atUs, this.busyUntilUs) + bytes * this.usPerByte);
    this.line.add(this.busyUntilUs);
    return this.busyUntilUs;
  }
}
