import { normalQuantile } from '../../stats/distributions.ts';
import type { Budget, Change } from '../file/budget.ts';
import { correlationMatrix } from '../file/correlation.ts';

/** Stages that are jointly normal, ms. A constant is a normal of sd 0. */
export type NormalModel = {
  stages: readonly { name: string; meanMs: number; sdMs: number }[];
  /** Correlation matrix, in the order of the stages. */
  correlation: readonly (readonly number[])[];
};

/**
 * The p-quantile q of the sum and each stage's share of it, exactly: q = sum mu + z sd_S and
 * C_i = mu_i + z (Sigma 1)_i / sd_S, with Sigma_ij = rho_ij sd_i sd_j.
 */
export function decomposeNormal(
  { stages, correlation }: NormalModel,
  p: number,
): { valueMs: number; shares: number[] } {
  const covariances = stages.map(({ sdMs }, i) =>
    stages.reduce((sum, other, j) => sum + correlation[i]![j]! * sdMs * other.sdMs, 0),
  );
  const variance = covariances.reduce((sum, value) => sum + value, 0);
  const z = normalQuantile(p);
  const scale = variance > 0 ? z / Math.sqrt(variance) : 0;
  const shares = stages.map(({ meanMs }, i) => meanMs + scale * covariances[i]!);
  return { valueMs: shares.reduce((sum, share) => sum + share, 0), shares };
}

/**
 * A budget whose stages are all declared normal or constant, as a normal model; undefined for any
 * other.
 */
export function normalModelOf({ stages, correlation }: Budget): NormalModel | undefined {
  const normals = stages.flatMap(({ name, distribution }) => {
    if (distribution?.kind === 'normal') return [{ name, meanMs: distribution.meanMs, sdMs: distribution.sdMs }];
    return distribution?.kind === 'constant' ? [{ name, meanMs: distribution.ms, sdMs: 0 }] : [];
  });
  if (normals.length < stages.length) return undefined;
  return {
    stages: normals,
    correlation: correlationMatrix(
      stages.map(({ name }) => name),
      correlation,
    ),
  };
}

/** The model after changes that keep it normal; undefined after a cap, which does not. */
export function changeNormal(model: NormalModel, changes: readonly Change[]): NormalModel | undefined {
  if (changes.some(({ kind }) => kind === 'cap')) return undefined;
  const stages = model.stages.map((stage) => {
    let { meanMs, sdMs } = stage;
    for (const change of changes) {
      if (change.stage !== stage.name) continue;
      if (change.kind === 'shift') meanMs += change.byMs;
      const factor = change.kind === 'scale' ? change.factor : change.kind === 'remove' ? 0 : 1;
      meanMs *= factor;
      sdMs *= factor;
    }
    return { name: stage.name, meanMs, sdMs };
  });
  return { stages, correlation: model.correlation };
}
