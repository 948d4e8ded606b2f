import { choleskyOf } from '../../src/budget/file/correlation.ts';
import type { NormalModel } from '../../src/budget/sample/normal.ts';
import { type Sample, sampleOf } from '../../src/budget/sample/sample.ts';
import { createRandom } from '../../src/stats/random.ts';

const names = ['network', 'edge', 'features', 'asr', 'scoring', 'delivery'];
const means = [55, 12, 20, 170, 26, 50];
const deviations = [15, 4, 6, 50, 9, 18];

/** The six normal stages of the worked case, every pair correlated by `rho`. */
export function cardModel(rho: number): NormalModel {
  return {
    stages: names.map((name, i) => ({ name, meanMs: means[i]!, sdMs: deviations[i]! })),
    correlation: names.map((_, i) => names.map((__, j) => (i === j ? 1 : rho))),
  };
}

/** `n` traces of a normal model. */
export function drawTraces(model: NormalModel, n: number, seed: number): Sample {
  const random = createRandom(seed);
  const lower = choleskyOf(model.correlation)!;
  const columns = model.stages.map(({ name }) => ({ name, ms: new Float64Array(n) }));
  for (let i = 0; i < n; i++) {
    const normals = model.stages.map(() => random.normal());
    model.stages.forEach(({ meanMs, sdMs }, s) => {
      const z = lower[s]!.reduce((sum, weight, k) => sum + weight * normals[k]!, 0);
      columns[s]!.ms[i] = meanMs + sdMs * z;
    });
  }
  return sampleOf(columns);
}
