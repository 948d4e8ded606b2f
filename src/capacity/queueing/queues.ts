import { erlangC } from './erlang.ts';

/**
 * How irregular arrivals and services are: squared coefficients of variation. Poisson arrivals have
 * ca2 = 1; fixed work cs2 = 0.
 */
export type Variability = { ca2: number; cs2: number };

/**
 * Mean wait of G/G/c by Allen and Cunneen (Allen 1990, 5.3): C(c, a) service / (c - a) x (ca2 +
 * cs2) / 2, in the unit of `service`. c 20, a 16, 250 ms, (1, .25): 10.0030 ms. Exact for M/M/c;
 * Infinity when the load is the servers or more.
 */
export function allenCunneenWait(servers: number, load: number, service: number, { ca2, cs2 }: Variability): number {
  if (load >= servers) return Number.POSITIVE_INFINITY;
  return ((erlangC(servers, load) * service) / (servers - load)) * ((ca2 + cs2) / 2);
}

/**
 * Mean wait of one server, G/G/1, by Kingman (1961): rho / (1 - rho) x (ca2 + cs2) / 2 x service.
 * An upper bound that heavy traffic reaches. rho .8, 250 ms, (1, .25): 625 ms.
 */
export function kingmanWait(rho: number, service: number, { ca2, cs2 }: Variability): number {
  if (rho >= 1) return Number.POSITIVE_INFINITY;
  return (rho / (1 - rho)) * ((ca2 + cs2) / 2) * service;
}
