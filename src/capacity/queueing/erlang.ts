import { ceilSafe } from './rounding.ts';

/**
 * Erlang B: the share of arrivals that find all `servers` taken, when `load` servers would be busy
 * on average and nobody waits. B_0 = 1, B_k = a B_{k-1} / (k + a B_{k-1}) (Jagerman 1984).
 * Insensitive to the distribution of holding times.
 */
export function erlangB(servers: number, load: number): number {
  if (load <= 0) return servers > 0 ? 0 : 1;
  let { servers: k, blocking } = startOfRecursion(Math.min(servers, load), load);
  while (k++ < servers && blocking > 0) blocking = (load * blocking) / (k + load * blocking);
  return blocking;
}

/**
 * Erlang C: the share of arrivals that wait when all may wait: C = B / (1 - rho (1 - B)), rho =
 * load / servers. 1 when the load is more than the servers can ever do. C(3, 2) = 4/9; C(14, 10) =
 * .174132.
 */
export function erlangC(servers: number, load: number): number {
  if (load <= 0) return servers > 0 ? 0 : 1;
  if (load >= servers) return 1;
  const blocking = erlangB(servers, load);
  return blocking / (1 - (load / servers) * (1 - blocking));
}

/**
 * The p-quantile of the wait in M/M/c, in the unit of `service` (the mean service time): service /
 * (c - a) ln(C / (1 - p)), not below 0. (14, 10, 250 ms): p95 77.987 ms. Infinity when the queue
 * grows without end.
 */
export function waitQuantile(servers: number, load: number, service: number, p: number): number {
  if (load >= servers) return Number.POSITIVE_INFINITY;
  const share = erlangC(servers, load);
  return Math.max(0, (service / (servers - load)) * Math.log(share / (1 - p)));
}

/** The fewest servers whose Erlang B blocking of `load` is at most `target`; 0 for no load. */
export function serversForBlocking(load: number, target: number): number {
  if (load <= 0) return 0;
  // B_k is above 1 - k / load, so fewer than that block more than the target.
  let { servers, blocking } = startOfRecursion(load * (1 - target), load);
  while (blocking > target) {
    servers++;
    blocking = (load * blocking) / (servers + load * blocking);
  }
  return servers;
}

/**
 * The fewest servers with a p-quantile of the wait of at most `limit`, in the unit of `service`.
 */
export function serversForWait(load: number, service: number, p: number, limit: number): number {
  let low = Math.floor(load);
  let high = Math.max(low + 1, ceilSafe(load * 1.1));
  while (waitQuantile(high, load, service, p) > limit) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (waitQuantile(middle, load, service, p) > limit) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Where the recursion of Erlang B begins on its way to `servers`, at most `load`. With I = 1 / B it
 * is I_k = 1 + k / a I_{k-1}: an error at the start shrinks by k / a a step, over the last 12
 * sqrt(a) steps to exp(-72) of itself. So a load of millions needs thousands of steps, and from 1 -
 * k / a, the limit of B far below the load, ends at the same number.
 */
function startOfRecursion(servers: number, load: number): { servers: number; blocking: number } {
  const first = Math.max(0, Math.floor(servers - 12 * Math.sqrt(load)));
  return { servers: first, blocking: 1 - first / load };
}
