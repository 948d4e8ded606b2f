import { scaling } from '../scenario/scaling.ts';
import type { WatchPlay } from '../simulation/simulate.ts';
import type { CapacityDetails, SimulationResult } from './result.ts';
import { simulatePlan } from './simulation.ts';
import type { Plan } from './sizes.ts';

/** Pods that are ready before the spike, and what the same run is with them. */
export type Lever = { minReplicas: number; simulation: SimulationResult };

/**
 * Plays the spike again with so many pods ready all the time that they carry it. Undefined without
 * a spike, where hardly anybody waits, and where the fleet is fixed or in several regions, whose
 * minimum is not one number.
 */
export function leverOf(
  plan: Plan,
  { pods }: Pick<CapacityDetails, 'pods'>,
  { degraded_share }: SimulationResult,
  watch?: WatchPlay,
): Lever | undefined {
  const { spec } = plan;
  if (!pods.at_spike || degraded_share <= worthALever) return undefined;
  if (spec.scaling?.kind === 'fixed' || plan.regions.length > 1) return undefined;
  const minReplicas = pods.at_spike.binomial;
  const given = spec.scaling ?? scaling.parse({});
  const maxReplicas = given.maxReplicas && Math.max(minReplicas, given.maxReplicas);
  const { initialPods, ...rest } = spec.simulation;
  const changed = { ...spec, scaling: { ...given, minReplicas, maxReplicas }, simulation: rest };
  return { minReplicas, simulation: simulatePlan({ ...plan, spec: changed }, watch) };
}

/**
 * Share of speech without feedback from which a lever is named; less is what blocking was allowed
 * to cost.
 */
const worthALever = 0.01;
