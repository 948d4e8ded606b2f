import type { Lane } from '../../protocol/client-messages.ts';
import type { Account } from './account.ts';

/**
 * The order in which sessions go when there are too many, the first to go first: what can wait,
 * what is beyond the cap of its tenant, tenants of class `free`, and then everybody else. What
 * hears a session a second time for a trial is none: it ends before any of them has to.
 */
export const shedOrder = ['batch', 'over_cap', 'free', 'live'] as const;

/** The place in `shedOrder` of a session in this lane, on this account. */
export function shedRank(lane: Lane, account: Pick<Account, 'isOverCap' | 'class'> | undefined): number {
  if (lane === 'batch') return shedOrder.indexOf('batch');
  if (account?.isOverCap) return shedOrder.indexOf('over_cap');
  return shedOrder.indexOf(account?.class === 'free' ? 'free' : 'live');
}
