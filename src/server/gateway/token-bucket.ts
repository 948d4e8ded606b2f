/** A limit on how often something may happen: `perSecond` on and on, `burst` at once. */
export type TokenBucket = {
  /** Takes one token: 0 when there was one, else how many ms until there is. */
  take(nowMs: number): number;
};

/** @param nowMs the clock's reading now; the bucket starts full. */
export function createTokenBucket(perSecond: number, burst: number, nowMs: number): TokenBucket {
  let tokens = burst;
  let filledAtMs = nowMs;
  return {
    take(atMs) {
      tokens = Math.min(burst, tokens + ((atMs - filledAtMs) * perSecond) / 1000);
      filledAtMs = atMs;
      if (tokens >= 1) {
        tokens -= 1;
        return 0;
      }
      return Math.ceil(((1 - tokens) * 1000) / perSecond);
    },
  };
}
