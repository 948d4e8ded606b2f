/** How long to wait before each further try, ms. */
export type BackoffOptions = { firstMs: number; maxMs: number };

const defaultBackoff = { firstMs: 200, maxMs: 5000 } as const satisfies BackoffOptions;

/**
 * Delay before try `attempt` (from 0): doubling, capped, with full jitter over its upper half, so
 * that those who lost one server together do not come back together.
 *
 * @param random In [0, 1).
 */
export function backoffMs(attempt: number, random: () => number, options: BackoffOptions = defaultBackoff): number {
  const ceiling = Math.min(options.maxMs, options.firstMs * 2 ** attempt);
  return ceiling * (0.5 + 0.5 * random());
}
