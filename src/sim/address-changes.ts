import { type DrawKey, Draws } from '../stats/draws.ts';
import type { AddressChanges } from './connection.ts';
import { Occurrences } from './impairments/occurrences.ts';
import { streamOf } from './impairments/purposes.ts';
import type { NetworkEvent } from './profile/profile.ts';

type Change = Extract<NetworkEvent, { kind: 'ip-change' }>;

const never: AddressChanges = { nextUs: Number.POSITIVE_INFINITY, oldSocket: 'silent', step: () => 0 };

/** When a device's address changes: the profile's one such event, if it has one. */
export function addressChangesOf(events: readonly NetworkEvent[], key: DrawKey): AddressChanges {
  const change = events.find((event): event is Change => event.kind === 'ip-change');
  if (change === undefined) return never;
  const occurrences = new Occurrences(change.when, new Draws(key, streamOf('both', 'ip-change')));
  const backoffs = new Draws(key, streamOf('both', 'backoff'));
  return {
    oldSocket: change.oldSocket,
    get nextUs() {
      return occurrences.nextUs;
    },
    /**
     * Goes on to the next change; how long the app waits before it connects anew, us: full jitter
     * on its first backoff.
     */
    step() {
      occurrences.step();
      return Math.round(backoffs.uniform() * Math.min(change.backoffUs.first, change.backoffUs.most));
    },
  };
}
