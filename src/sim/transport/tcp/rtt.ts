import { tickUs, toTicks } from './jiffies.ts';

/**
 * Round-trip estimate and retransmission timeout as Linux computes them: RFC 6298's means, with the
 * variance held at its maximum over a window of data, never below the minimal timeout, and falling
 * by a quarter a window.
 */
export class RttEstimator {
  /** Smoothed round trip, us, times 8; 0 before the first sample. */
  srtt8 = 0;
  /** The least round trip seen, us. */
  minUs = Number.POSITIVE_INFINITY;
  /** Retransmission timeout, ticks. */
  rtoTicks = 250;
  private readonly floorUs: number;
  private meanDeviation4 = 0;
  private maxDeviation4 = 0;
  private variationUs = 0;
  private windowEnd = 0;

  /** floorUs: the least that the timeout lies above the smoothed round trip (`rto_min`, 200 ms). */
  constructor(floorUs: number) {
    this.floorUs = floorUs;
  }

  get srttUs(): number {
    return this.srtt8 / 8;
  }

  /**
   * A sample of rttUs, when everything up to acknowledged has arrived and everything up to sent is
   * on its way.
   */
  sample(rttUs: number, acknowledged: number, sent: number): void {
    if (this.srtt8 === 0) {
      this.srtt8 = Math.max(1, rttUs * 8);
      this.meanDeviation4 = rttUs * 2;
      this.variationUs = Math.max(this.meanDeviation4, this.floorUs);
      this.maxDeviation4 = this.variationUs;
      this.windowEnd = sent;
    } else {
      const error = rttUs - Math.floor(this.srtt8 / 8);
      this.srtt8 = Math.max(1, this.srtt8 + error);
      this.deviate(error);
      if (acknowledged > this.windowEnd) {
        if (this.maxDeviation4 < this.variationUs) {
          this.variationUs -= Math.floor((this.variationUs - this.maxDeviation4) / 4);
        }
        this.windowEnd = sent;
        this.maxDeviation4 = this.floorUs;
      }
    }
    this.rtoTicks = Math.min(toTicks(Math.floor(this.srtt8 / 8) + this.variationUs), maxRtoTicks);
  }

  /** A round trip that certainly holds no delay of an acknowledgement. */
  sampleMin(rttUs: number): void {
    if (rttUs < this.minUs) this.minUs = rttUs;
  }

  /** Exponential backoff. */
  backOff(): void {
    this.rtoTicks = Math.min(this.rtoTicks * 2, maxRtoTicks);
  }

  get rtoUs(): number {
    return this.rtoTicks * tickUs;
  }

  /**
   * A sample below the mean counts an eighth of its surplus, so that a sudden fall does not raise
   * the timeout.
   */
  private deviate(error: number): void {
    let surplus = Math.abs(error) - Math.floor(this.meanDeviation4 / 4);
    if (error < 0 && surplus > 0) surplus = Math.floor(surplus / 8);
    this.meanDeviation4 += surplus;
    if (this.meanDeviation4 <= this.maxDeviation4) return;
    this.maxDeviation4 = this.meanDeviation4;
    if (this.maxDeviation4 > this.variationUs) this.variationUs = this.maxDeviation4;
  }
}

/** 120 s. */
const maxRtoTicks = 30_000;
