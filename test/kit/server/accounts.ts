import { Account, type AccountKind } from '../../../src/server/admission/account.ts';
import { defaultLimits, type Limits } from '../../../src/server/limits.ts';

/** An account whose buckets were filled at 0 ms. */
export function newAccount(
  kind: AccountKind = 'machine',
  { isShared = kind !== 'machine', limits = {} }: { isShared?: boolean; limits?: Partial<Limits> } = {},
): Account {
  return new Account({ kind, isShared, limits: { ...defaultLimits, ...limits }, nowMs: 0 });
}
