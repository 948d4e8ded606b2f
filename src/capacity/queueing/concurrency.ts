import { binomialCdf } from '../../stats/distributions.ts';

/**
 * How many of a class speak at once: each of `users` speaks a share `duty` of the time,
 * independently.
 */
export type Concurrency = { mean: number; p50: number; p95: number; p99: number; p999: number };

/**
 * The distribution of streams at one moment. 20,000 users at 40 %: mean 8,000, and one moment in a
 * thousand above p999.
 */
export function concurrencyOf(users: number, duty: number): Concurrency {
  const at = (p: number) => concurrencyQuantile(users, duty, p);
  return { mean: users * duty, p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999) };
}

/**
 * The smallest k with P(Bin(users, duty) <= k) >= p. A fraction of a user counts as a whole one.
 */
export function concurrencyQuantile(users: number, duty: number, p: number): number {
  const n = Math.ceil(users);
  let low = -1;
  let high = n;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (binomialCdf(middle, n, duty) >= p) high = middle;
    else low = middle;
  }
  return high;
}
