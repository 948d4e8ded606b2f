import type { OpenLink } from './link.ts';

/**
 * Links of one client to servers of one service, as a balancer gives them out: each attempt leads
 * to the next server, so that one which is gone is tried again last. `first` is where it begins.
 */
export function inTurn(servers: readonly OpenLink[], first = 0): OpenLink {
  let attempt = first;
  return (events, hints, at) => {
    // Where a server sends a session is no turn of ours.
    if (at !== undefined) return servers[0]!(events, hints, at);
    return servers[attempt++ % servers.length]!(events, hints);
  };
}
