import type { CapStore } from '../../stores/cap-store.ts';
import type { StoreTrouble } from '../../stores/session-store.ts';
import type { Log } from '../../telemetry/log.ts';
import { LocalQuota } from './local-quota.ts';
import type { Quota } from './quota.ts';
import { SharedQuota } from './shared-quota.ts';

export type CreateQuotaOptions = {
  /** What all servers share; undefined: each counts by itself. */
  store: CapStore | undefined;
  log: Log;
  /** When one comes back that found its cap met, ms. */
  busyRetryMs: number;
  /** A call to the store failed. */
  onTrouble(why: StoreTrouble): void;
};

/** What counts the caps of tenants. */
export function createQuota({ store, ...options }: CreateQuotaOptions): Quota {
  const insurance = new LocalQuota({ log: options.log, wallMs: Date.now });
  return store ? new SharedQuota({ store, insurance, now: () => performance.now(), ...options }) : insurance;
}
