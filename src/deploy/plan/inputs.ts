import type { PlanInputs } from '../../capacity/plan/sizes.ts';
import type { CurvePoint } from '../../capacity/scenario/curve.ts';
import type { CapacitySpec } from '../../capacity/scenario/spec.ts';
import type { Canary } from '../../slo/canary/canary.ts';
import type { ServiceLevel } from '../../slo/service-level/service-level.ts';
import type { DeployValues } from '../values/values.ts';

/** A value and where each part of it stands: `file:line:column`. */
export type Located<T> = { value: T; at(path: readonly PropertyKey[]): string };

/** Everything that a deployment is made of. */
export type DeployInputs = {
  capacity: Located<CapacitySpec> & { name: string; inputs: PlanInputs };
  /** Measured on one pod, in place of what the scenario says of it. */
  curve: Located<readonly CurvePoint[]> | undefined;
  slo: Located<ServiceLevel>;
  canary: Located<Canary> | undefined;
  values: Located<DeployValues> & { name: string };
};

/** What the service promises of latency, and where; undefined: nothing of latency. */
export type LatencyPromise = { percentile: number; valueMs: number; at: string };

/** The first objective that promises a latency as learners feel it. */
export function promiseOf({ value, at }: DeployInputs['slo']): LatencyPromise | undefined {
  const index = value.objectives.findIndex(({ indicator }) => indicator.loadtest?.atMost !== undefined);
  const objective = value.objectives[index];
  if (!objective) return undefined;
  return {
    percentile: Number((objective.target * 100).toPrecision(12)),
    valueMs: objective.indicator.loadtest!.atMost!,
    at: at(['spec', 'objectives', index, 'target']),
  };
}
