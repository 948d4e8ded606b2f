/**
 * What one part of a path does to a packet: lets it go on, later or never. Parts are asked in the
 * order in which packets enter them, so `atUs` never decreases for those that keep order.
 */
export interface Impairment {
  /**
   * When a packet of that many bytes, headers included, that comes in at atUs goes on (us); LOST if
   * it never does.
   */
  pass(atUs: number, bytes: number): number;
}

/** Later than everything. */
export const LOST = Number.POSITIVE_INFINITY;
