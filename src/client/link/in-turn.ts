import type { OpenLink } from './link.ts';

/**
 * Links of one client to servers of one service, as a balancer gives them out: each attempt leads
 * to the next server, so that one which is gone is tried again last. `first` is where it begins.
 */
export function inTurn(servers: readonly OpenLink[], first = 0): OpenLink {
  let attempt = first;
  return (events, hints) => servers[attempt++ % servers.length]!(events, hints);
}
