/** One row of a multiwindow alert: it fires while the burn rate of both windows is above `burn`. */
export type BurnAlert = {
  severity: 'page' | 'ticket';
  burn: number;
  longMs: number;
  tenthsMs: number;
};

/**
 * Observed share of bad events over the share that the target allows: 1 spends the budget exactly
 * in its period.
 */
export function burnRate(badShare: number, target: number): number {
  return badShare / (1 - target);
}

/**
 * The burn at which `budgetShare` of the budget of `periodMs` is spent in `windowMs` (SRE Workbook,
 * chapter 5).
 */
export function burnForBudget(budgetShare: number, windowMs: number, periodMs: number): number {
  return (budgetShare * periodMs) / windowMs;
}

/**
 * The share of the budget that is spent when a burn has lasted for `windowMs`; the inverse of
 * `burnForBudget`.
 */
export function budgetSpent(burn: number, windowMs: number, periodMs: number): number {
  return (burn * windowMs) / periodMs;
}

/** The burn when every event is bad. An alert at or above it can never fire. */
export function largestBurn(target: number): number {
  return 1 / (1 - target);
}

/**
 * The smallest target at which an alert above `burn` can fire: 93.06 % for 14.4. Targets must lie
 * above it.
 */
export function smallestTarget(burn: number): number {
  return Math.max(0, 1 - 1 / burn);
}

export function canFire(burn: number, target: number): boolean {
  // The last digits of 1 - target are noise: 90 % must count as exactly 10.
  return largestBurn(target) > burn * (1 + 1e-9);
}

/**
 * Ms from the start of an incident of steady `badShare` until a window that was clean before it
 * shows more than `burn`: (1 - target) / badShare x window x burn. Infinity when the incident burns
 * too slowly to be seen by this alert.
 */
export function detectionTimeMs(alert: { burn: number; longMs: number }, target: number, badShare: number): number {
  const share = ((1 - target) * alert.burn) / badShare;
  return share < 1 ? share * alert.longMs : Number.POSITIVE_INFINITY;
}

/** Fewer events than this in the window and one bad event alone is above `burn`. */
export function eventsToCarryOneFailure(burn: number, target: number): number {
  return Math.ceil(1 / (burn * (1 - target)) - 1e-9);
}

/**
 * Ms until `budgetLeft` of the period's budget is gone at a steady burn; Infinity at 1 or below,
 * which never empties it.
 */
export function timeToExhaustionMs(budgetLeft: number, burn: number, periodMs: number): number {
  if (budgetLeft <= 0) return 0;
  return burn > 1 ? (budgetLeft * periodMs) / burn : Number.POSITIVE_INFINITY;
}
