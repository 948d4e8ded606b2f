/**
 * How long to wait for a missing frame, learned from those that came late: mean plus four mean deviations with gains 1/8
 * and 1/4, the retransmission timer of RFC 6298 section 2, held between `minMs` and `maxMs`.
 */
export type LatenessEstimate = {
  /** A missing frame came `lateMs` after it was missed, whether still in time or not. */
  observe(lateMs: number): void;
  waitMs(): number;
};

export function createLatenessEstimate(minMs: number, maxMs: number): LatenessEstimate {
  let mean: number | undefined;
  let deviation = 0;
  return {
    observe(lateMs) {
      if (mean === undefined) {
        mean = lateMs;
        deviation = lateMs / 2;
        return;
      }
      deviation += (Math.abs(lateMs - mean) - deviation) / 4;
      mean += (lateMs - mean) / 8;
    },
    waitMs() {
      const wanted = mean === undefined ? startFactor * minMs : mean + 4 * deviation;
      return Math.min(maxMs, Math.max(minMs, wanted));
    },
  };
}

/** Before anything was late, a multiple of the least wait. */
const startFactor = 3;
