import { normalCdf } from '../../stats/distributions.ts';
import { createRandom } from '../../stats/random.ts';
import type { Budget } from '../file/budget.ts';
import { choleskyOf, correlationMatrix } from '../file/correlation.ts';
import { timeAt } from '../file/distribution.ts';
import { type Sample, sampleOf } from './sample.ts';

/**
 * Traces drawn from the stages' declared distributions, correlated through a Gaussian copula; the
 * same seed draws the same traces. Undefined unless every stage declares one.
 */
export function simulateBudget(budget: Budget): Sample | undefined {
  const names = budget.stages.map(({ name }) => name);
  const distributions = budget.stages.flatMap(({ distribution }) => (distribution ? [distribution] : []));
  const lower = choleskyOf(correlationMatrix(names, budget.correlation));
  if (distributions.length < names.length || !lower) return undefined;
  const random = createRandom(budget.seed);
  const columns = names.map((name) => ({ name, ms: new Float64Array(budget.samples) }));
  const normals = new Float64Array(names.length);
  for (let i = 0; i < budget.samples; i++) {
    for (let s = 0; s < names.length; s++) normals[s] = random.normal();
    for (let s = 0; s < names.length; s++) {
      let z = 0;
      for (let k = 0; k <= s; k++) z += lower[s]![k]! * normals[k]!;
      columns[s]!.ms[i] = timeAt(distributions[s]!, z, normalCdf);
    }
  }
  return sampleOf(columns);
}
