/**
 * Where an HDR histogram of three significant digits and a unit of 1 counts a value (Tene's layout): a slot each up to 2,047,
 * then 1,024 slots to each doubling.
 */
const half = 1024;

/** The slot of a whole number from 0 to 2^32 - 1. */
export function slotOf(value: number): number {
  const doublings = 21 - Math.clz32(value | (2 * half - 1));
  return doublings * half + (value >>> doublings);
}

/** The least value of a slot. */
export function leastOf(slot: number): number {
  const doublings = Math.max(0, Math.floor(slot / half) - 1);
  return (slot - doublings * half) * 2 ** doublings;
}
