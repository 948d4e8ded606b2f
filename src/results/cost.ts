/** What the servers cost while it was measured, $; undefined when nobody said. */
export type Spent = { dollars: number } | undefined;

export type ServerCost = { server: number; servers: number };

/** What they cost while it was measured: all of the time, busy or not. */
export function spentIn(given: ServerCost | undefined, measuredMs: number): Spent {
  return given && { dollars: (given.server * given.servers * Math.max(0, measuredMs)) / 3_600_000 };
}

/** What stands in the place of an objective in `aborted` of a test that its cost has ended. */
export const costLimit = 'cost.most';
