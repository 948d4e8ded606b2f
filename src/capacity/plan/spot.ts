import { binomialCdf } from '../../stats/distributions.ts';

/**
 * Spot pods to run so that at least `needed` are up with chance `sure`, when each is lost with
 * chance `lost`: the smallest n with P(Bin(n, 1 - lost) >= needed) >= sure. 20 needed, 5 % lost,
 * 99.9 % sure: 26.
 */
export function spotPods(needed: number, lost: number, sure: number): number {
  if (needed <= 0) return 0;
  if (lost >= 1) return Number.POSITIVE_INFINITY;
  const enough = (pods: number) => binomialCdf(pods - needed, pods, lost) >= sure;
  let high = Math.max(needed, 1);
  while (!enough(high)) high *= 2;
  let low = needed - 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
