import type { Plan } from '../../capacity/plan/sizes.ts';
import type { Problem } from '../../errors.ts';
import { durationText, numberText, percentText } from '../../format.ts';
import type { DeployInputs } from './inputs.ts';
import type { ScaleFigures } from './scale.ts';

/**
 * Contradictions that only the sizes show: an autoscaler that could never do what the scenario asks
 * of it. Each with the place of both.
 *
 * @param scales one a region of the plan
 */
export function scaleContradictions(inputs: DeployInputs, plan: Plan, scales: readonly ScaleFigures[]): Problem[] {
  return [
    ...ofTarget(inputs, plan, scales[0]!),
    ...scales.flatMap((scale, region) => [
      ...ofBounds(inputs, plan, scale, region),
      ...ofCluster(inputs, plan, scale, region),
    ]),
    ...ofFirstStep(inputs, plan),
  ];
}

/** Slots that are taken are 100 % at the most, and within the tolerance nothing is done. */
function ofTarget({ capacity }: DeployInputs, { spec, streamsPerPod }: Plan, scale: ScaleFigures): Problem[] {
  const tolerance = spec.scaling?.tolerance ?? 0.1;
  if (scale.targetShare * (1 + tolerance) < 1) return [];
  const key = spec.scaling?.targetStreams === undefined ? 'target' : 'targetStreams';
  const given = key === 'target' ? percentText(scale.targetShare) : `${spec.scaling!.targetStreams} streams`;
  const most = percentText(Math.floor(1000 / (1 + tolerance)) / 1000);
  return [
    {
      where: capacity.at(['spec', 'scaling', key]),
      message:
        `scaling.${key}: ${given} of the ${streamsPerPod} at ${capacity.at(['spec', 'pod'])} can never be exceeded by more than ` +
        `the tolerance of ${percentText(tolerance)}: no pod would ever be added; write less than ${most}`,
    },
  ];
}

function ofBounds({ capacity }: DeployInputs, plan: Plan, scale: ScaleFigures, index: number): Problem[] {
  const { spec, users, streamsPerPod } = plan;
  const region = plan.regions[index]!;
  const given = region.maxReplicas ?? spec.scaling?.maxReplicas;
  if (given === undefined) return [];
  const isOwn = region.maxReplicas !== undefined;
  const where = capacity.at(isOwn ? ['spec', 'regions', index, 'maxReplicas'] : ['spec', 'scaling', 'maxReplicas']);
  const key = isOwn ? `regions: "${region.name}": maxReplicas` : 'scaling.maxReplicas';
  const { spike, dutyCycle } = spec.demand;
  const wanted = users * region.share * (spike?.factor ?? 1) * dutyCycle;
  if (given * streamsPerPod < wanted) {
    const brings = capacity.at(['spec', 'demand', ...(spike ? ['spike', 'factor'] : [])]);
    return [
      {
        where,
        message: `${key}: ${given} pods of ${streamsPerPod} streams carry ${numberText(given * streamsPerPod)}, and ${brings} brings ${numberText(wanted)} at once`,
      },
    ];
  }
  if (scale.min <= given) return [];
  const { from, why } = scale.demand.minReplicas;
  return [{ where, message: `${key}: ${given} is less than the ${scale.min} pods that ${from[0]} asks for: ${why}` }];
}

/** More pods than one cluster of Kubernetes is built for. */
function ofCluster({ capacity }: DeployInputs, plan: Plan, { max, demand }: ScaleFigures, index: number): Problem[] {
  if (max <= mostPods) return [];
  const { from, why } = demand.maxReplicas;
  const [region, pod] = [plan.regions[index]!, capacity.at(['spec', 'pod'])];
  const whose = plan.regions.length > 1 ? `regions: "${region.name}"` : 'demand';
  return [
    {
      where: from[0]!,
      message:
        `${whose}: asks for ${numberText(max)} pods of the ${plan.streamsPerPod} streams at ${pod} (${why}), and a cluster of Kubernetes ` +
        `has ${numberText(mostPods)} pods at the most; write regions of a cluster each, or pods that carry more`,
    },
  ];
}

/** A version whose pods are not there when the step is over has shown nothing. */
function ofFirstStep({ capacity, canary, values }: DeployInputs, { spec }: Plan): Problem[] {
  if (!canary || values.value.rollout === 'none') return [];
  const { startup, warmup } = spec.pod;
  return canary.value.steps.flatMap(({ holdMs }, i) =>
    holdMs > startup + warmup
      ? []
      : [
          {
            where: canary.at(['spec', 'steps', i, 'hold']),
            message:
              `steps[${i}].hold: ${durationText(holdMs)} is over before a pod is there, which takes ` +
              `${durationText(startup + warmup)} at ${capacity.at(['spec', 'pod', 'startup'])}: nobody would be judged`,
          },
        ],
  );
}

/** Kubernetes, "Considerations for large clusters": no more than 150,000 pods in all. */
const mostPods = 150_000;
