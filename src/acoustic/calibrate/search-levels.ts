/** What is known of loads so far: the most that held, and the fewest beyond it. */
export type LevelSearch = {
  held: number;
  /** The fewest that missed the deadline, or that this machine could not make; infinite: none. */
  beyond: number;
};

/**
 * The next number of streams to try, from the guess that step times gave: an eighth of it, then
 * twice as many while the deadline is held, half as many until it is, and between the two to a
 * tenth. Undefined when it is known well enough.
 */
export function nextLoad({ held, beyond }: LevelSearch, guess: number, most: number): number | undefined {
  if (held === 0 && beyond === Number.POSITIVE_INFINITY) return Math.min(most, Math.max(1, Math.round(guess / 8)));
  if (beyond === 1 || held >= most) return undefined;
  if (beyond === Number.POSITIVE_INFINITY) return Math.min(most, 2 * held);
  if (held === 0) return Math.floor(beyond / 2);
  if (beyond - held <= Math.max(1, held * 0.1)) return undefined;
  return Math.floor((held + beyond) / 2);
}
