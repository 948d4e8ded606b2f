import { createRandom } from '../../src/stats/random.ts';
import { type SequentialPlan, sequentialTest } from '../../src/stats/sprt.ts';

/** Units that share a fate, of a canary that is just acceptable. */
export type CanaryCase = {
  /** Events of one unit. */
  events: number;
  /** Share of the units whose events all have the unit's fate; the events of others have each their own. */
  sharing: number;
  units: number;
};

const plan: SequentialPlan = { fine: 0.01, worse: 0.02, alpha: 0.01, beta: 0.2 };

/** How often the sequential test, looked at after every unit, rolls back: by units, and by events. */
export function falseRollbacks(
  one: CanaryCase,
  replicates: number,
  seed: number,
): { byUnits: number; byEvents: number } {
  const random = createRandom(seed);
  const rolledBack = { byUnits: 0, byEvents: 0 };
  for (let replicate = 0; replicate < replicates; replicate++) {
    const open = { byUnits: true, byEvents: true };
    let [bad, badUnits] = [0, 0];
    for (let unit = 1; unit <= one.units && (open.byUnits || open.byEvents); unit++) {
      const own = badOf(random.uniform, one);
      bad += own;
      badUnits += own / one.events;
      const decided = {
        byUnits: sequentialTest(plan, badUnits, unit).decision,
        byEvents: sequentialTest(plan, bad, unit * one.events).decision,
      };
      for (const way of ['byUnits', 'byEvents'] as const) {
        if (!open[way] || decided[way] === 'continue') continue;
        open[way] = false;
        if (decided[way] === 'worse') rolledBack[way]++;
      }
    }
  }
  return { byUnits: rolledBack.byUnits / replicates, byEvents: rolledBack.byEvents / replicates };
}

function badOf(uniform: () => number, { events, sharing }: CanaryCase): number {
  if (uniform() < sharing) return uniform() < plan.fine ? events : 0;
  let bad = 0;
  for (let i = 0; i < events; i++) if (uniform() < plan.fine) bad++;
  return bad;
}
