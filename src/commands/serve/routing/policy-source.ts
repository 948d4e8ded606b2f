import type { FlagAddress } from '../../../flags/source/flag-address.ts';

/** Where a policy comes from, and which flag it is. */
export type PolicySource =
  | { kind: 'file'; file: string; text: string; flag: string; origin: string }
  | { kind: 'ofrep'; address: FlagAddress; flag: string; origin: string; everyMs: number };
