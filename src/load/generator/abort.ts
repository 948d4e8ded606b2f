import type { Measurements } from '../../metrics/definitions.ts';
import type { Objective } from '../../slo/objective/expression.ts';
import { judge, missedForCertain } from '../../slo/objective/verdict.ts';

/**
 * An objective, and whether the test ends as soon as it is missed for certain, but not before
 * `delayMs`.
 */
export type LoadObjective = Objective & { abortOnFail: boolean; delayMs: number };

/** Why a test was ended early: the objective as written, when, and what was known then. */
export type Abort = { objective: string; atMs: number; reason: string };

/**
 * The first objective that ends the test now; `measured` gives what is known so far of the sessions
 * it is about.
 */
export function abortNow(
  objectives: readonly LoadObjective[],
  elapsedMs: number,
  measured: (objective: Objective) => Measurements,
): Abort | undefined {
  for (const objective of objectives) {
    if (!objective.abortOnFail || elapsedMs < objective.delayMs) continue;
    const verdict = judge(objective, measured(objective));
    if (missedForCertain(objective, verdict)) {
      return { objective: objective.source, atMs: elapsedMs, reason: verdict.reason };
    }
  }
  return undefined;
}
