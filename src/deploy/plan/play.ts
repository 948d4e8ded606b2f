import { planCapacity } from '../../capacity/plan/plan.ts';
import type { CapacityResult } from '../../capacity/plan/result.ts';
import type { CapacitySpec } from '../../capacity/scenario/spec.ts';
import type { WatchPlay } from '../../capacity/simulation/simulate.ts';
import type { DeployInputs } from './inputs.ts';
import type { PolicyFigures, ScaleFigures } from './scale.ts';

/**
 * Plays the scenario again with the very numbers of the autoscalers that are deployed, a region at
 * its own: what is written is what was tried.
 */
export function playDeployed(
  { capacity, values }: DeployInputs,
  spec: CapacitySpec,
  slots: number,
  scales: readonly ScaleFigures[],
  watch?: WatchPlay,
): CapacityResult {
  const [first] = scales;
  const { behavior } = first!;
  const kind = autoscalerOf(spec, values.value.autoscaler);
  const streamsPerSlot = spec.demand.dutyCycle;
  const deployed: CapacitySpec = {
    ...spec,
    scaling: {
      kind,
      minReplicas: first!.min,
      maxReplicas: first!.max,
      tolerance: spec.scaling?.tolerance ?? 0.1,
      sync: spec.scaling?.sync ?? 15_000,
      pollingInterval: 15_000,
      cooldownPeriod: 300_000,
      signal: 'slots',
      ...(kind === 'hpa'
        ? { target: first!.targetShare }
        : { targetStreams: Math.floor(first!.targetShare * slots) * streamsPerSlot }),
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: Number(behavior.upWindow.value),
          selectPolicy: 'Max',
          policies: behavior.up.map(policyOf),
        },
        scaleDown: {
          stabilizationWindowSeconds: Number(behavior.downWindow.value),
          selectPolicy: 'Max',
          policies: behavior.down.map(policyOf),
        },
      },
    },
    ...(spec.regions && {
      regions: spec.regions.map((region, i) => ({
        ...region,
        minReplicas: scales[i]!.min,
        maxReplicas: scales[i]!.max,
      })),
    }),
  };
  return planCapacity(capacity.name, deployed, capacity.inputs, watch);
}

/** Which autoscaler is deployed: the one that the values choose, or that the scenario plays. */
export function autoscalerOf(spec: CapacitySpec, chosen: 'hpa' | 'keda' | undefined): 'hpa' | 'keda' {
  return chosen ?? (spec.scaling?.kind === 'keda' ? 'keda' : 'hpa');
}

function policyOf({ type, value, period }: PolicyFigures) {
  return { type, value: Number(value.value), periodSeconds: Number(period.value) };
}
