/**
 * The whole number at or above a computed value, forgiving what floating point added: 10 x 1.1 is
 * 11.000000000000002 and still 11 pods.
 */
export function ceilSafe(value: number): number {
  return Math.ceil(value - Math.abs(value) * 1e-12);
}

/** The whole number at or below a computed value, with the same forgiveness. */
export function floorSafe(value: number): number {
  return Math.floor(value + Math.abs(value) * 1e-12);
}
