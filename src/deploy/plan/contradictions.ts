import { streamsByCurve } from '../../capacity/scenario/curve.ts';
import type { Problem } from '../../errors.ts';
import { durationText, formatMs, numberText, percentText } from '../../format.ts';
import { type DeployInputs, promiseOf } from './inputs.ts';
import { storeContradictions } from './store.ts';

/**
 * What the inputs written against one another, each with the place of both. A manifest made of them
 * would keep one and break the other, and nobody would know which.
 */
export function contradictions(inputs: DeployInputs): Problem[] {
  return [
    ...ofCurve(inputs),
    ...ofScaling(inputs),
    ...ofDrains(inputs),
    ...ofSpot(inputs),
    ...ofRegions(inputs),
    ...ofCanary(inputs),
    ...storeContradictions(inputs),
  ];
}

function ofCurve({ capacity, curve, slo }: DeployInputs): Problem[] {
  const { pod } = capacity.value;
  const promise = promiseOf(slo);
  const problems: Problem[] = [];
  if (pod.profile && promise) {
    const { percentile, value } = pod.profile.slo;
    if (percentile < promise.percentile || value > promise.valueMs)
      problems.push({
        where: capacity.at(['spec', 'pod', 'profile', 'slo']),
        message:
          `pod.profile.slo: p${percentile} within ${formatMs(value)} is less than ${promise.at} promises, ` +
          `p${promise.percentile} within ${formatMs(promise.valueMs)}: a pod filled to the one breaks the other`,
      });
  }
  if (!curve) return problems;
  if (!promise && !pod.profile)
    problems.push({
      where: curve.at([]),
      message: `nothing says which latency decides: ${slo.at(['spec', 'objectives'])} promises none of a load test (indicator.loadtest with atMost)`,
    });
  const limit = limitOf(pod.profile?.slo, promise);
  if (!limit || problems.length > 0) return problems;
  const { streams, firstMiss } = streamsByCurve(curve.value, limit);
  const asked = `p${limit.percentile} within ${formatMs(limit.valueMs)}`;
  if (streams === 0)
    problems.push({
      where: curve.at(['points']),
      message:
        `no measured load keeps ${asked}, which ${limit.at ?? capacity.at(['spec', 'pod', 'profile', 'slo'])} asks for; ` +
        `the first, ${numberText(firstMiss?.streams ?? 0)} streams, does not: a pod would carry 0 streams`,
    });
  else if (pod.streams !== undefined && pod.streams > streams)
    problems.push({
      where: capacity.at(['spec', 'pod', 'streams']),
      message: `pod.streams: ${pod.streams} is more than ${curve.at(['points'])} measured within ${asked}: ${streams}`,
    });
  return problems;
}

/** The limit that K is read at: the scenario's own where it has one, else the promise. */
export function limitOf(
  own: { percentile: number; value: number } | undefined,
  promise: { percentile: number; valueMs: number; at: string } | undefined,
): { percentile: number; valueMs: number; at?: string } | undefined {
  return own ? { percentile: own.percentile, valueMs: own.value } : promise;
}

function ofScaling({ capacity, values }: DeployInputs): Problem[] {
  const { scaling, supply } = capacity.value;
  const problems: Problem[] = [];
  const at = (key: string) => capacity.at(['spec', 'scaling', key]);
  if (!supply.selfHosted)
    problems.push({
      where: capacity.at(['spec', 'supply']),
      message: `supply.selfHosted: is missing, so there are no pods, which ${values.at(['spec', 'image'])} would run`,
    });
  if (scaling?.kind === 'fixed')
    problems.push({
      where: at('kind'),
      message: `scaling.kind: fixed has nothing to scale, and ${values.at(['spec', 'autoscaler'])} wants an autoscaler; allowed: hpa, keda`,
    });
  const chosen = values.value.autoscaler;
  if (scaling && scaling.kind !== 'fixed' && chosen !== undefined && chosen !== scaling.kind)
    problems.push({
      where: at('kind'),
      message: `scaling.kind: ${scaling.kind} is played, and ${values.at(['spec', 'autoscaler'])} deploys ${chosen}`,
    });
  if (scaling?.minReplicas === 0)
    problems.push({
      where: at('minReplicas'),
      message: `scaling.minReplicas: 0 pods have no slots, so the signal of ${values.at(['spec', 'autoscaler'])} is empty and nothing brings one back; write 1 or more`,
    });
  const window = scaling?.behavior.scaleDown?.stabilizationWindowSeconds;
  const { startup, warmup } = capacity.value.pod;
  if (window !== undefined && window * 1000 < startup + warmup)
    problems.push({
      where: capacity.at(['spec', 'scaling', 'behavior', 'scaleDown', 'stabilizationWindowSeconds']),
      message:
        `scaling.behavior.scaleDown.stabilizationWindowSeconds: pods go after a pause of ${durationText(window * 1000)}, and need ` +
        `${durationText(startup + warmup)} to come back at ${capacity.at(['spec', 'pod', 'startup'])}: a class that pauses would wait for them`,
    });
  return problems;
}

function ofDrains({ capacity, values }: DeployInputs): Problem[] {
  const problems: Problem[] = [];
  for (const role of ['inference', 'gateway'] as const) {
    const { drain, gracePeriod } = values.value[role];
    if (gracePeriod === undefined || drain < gracePeriod) continue;
    problems.push({
      where: values.at(['spec', role, 'drain']),
      message:
        `${role}.drain: ${durationText(drain)} does not end within the grace period of ${durationText(gracePeriod)} at ` +
        `${values.at(['spec', role, 'gracePeriod'])}: whoever is still inside would be killed`,
    });
  }
  const spot = capacity.value.supply.selfHosted?.spot;
  const { drain } = values.value.inference;
  if (spot && drain > spot.notice)
    problems.push({
      where: values.at(['spec', 'inference', 'drain']),
      message:
        `inference.drain: ${durationText(drain)} is longer than a spot machine says before it goes, ` +
        `${durationText(spot.notice)} at ${capacity.at(['spec', 'supply', 'selfHosted', 'spot', 'notice'])}`,
    });
  return problems;
}

function ofSpot({ capacity, values }: DeployInputs): Problem[] {
  const spot = capacity.value.supply.selfHosted?.spot;
  const floor = values.value.spot?.floor;
  const where = capacity.at(['spec', 'supply', 'selfHosted', ...(spot ? ['spot', 'share'] : [])]);
  const there = values.at(['spec', ...(floor === undefined ? [] : ['spot', 'floor'])]);
  if (!spot)
    return floor === undefined
      ? []
      : [{ where: there, message: `spot.floor: ${percentText(floor)} stands here, and ${where} buys nothing as spot` }];
  if (floor === undefined || floor === 0) {
    const message = `supply.selfHosted.spot.share: ${percentText(spot.share)} is bought as spot, and ${there} names no on-demand floor (spot.floor): one recall could take them all`;
    return [{ where, message }];
  }
  if (spot.share <= 1 - floor + 1e-9) return [];
  const left = `leaves ${percentText(1 - spot.share)} on demand, and ${there} keeps ${percentText(floor)}`;
  return [{ where, message: `supply.selfHosted.spot.share: ${percentText(spot.share)} ${left}` }];
}

function ofRegions({ capacity, values }: DeployInputs): Problem[] {
  const played = capacity.value.regions ?? [];
  const deployed = values.value.regions ?? [];
  const list = values.at(['spec', 'regions']);
  const missing = played.flatMap((region, index): Problem[] => {
    const where = capacity.at(['spec', 'regions', index, 'name']);
    const found = deployed.findIndex(({ name }) => name === region.name);
    if (found < 0) {
      const message = `regions: "${region.name}" has no residency: ${list} names ${deployed.map(({ name }) => name).join(', ') || 'no region'}`;
      return [{ where, message }];
    }
    if (region.pinned === (deployed[found]!.residency === 'stays')) return [];
    const said = region.pinned ? 'pinned, its audio stays' : 'not pinned, its audio may leave';
    const other = values.at(['spec', 'regions', found, 'residency']);
    const message = `regions: "${region.name}" is ${said}, and ${other} says ${deployed[found]!.residency}`;
    return [{ where, message }];
  });
  const strange = deployed.flatMap(({ name }, index) =>
    played.some((region) => region.name === name)
      ? []
      : [
          {
            where: values.at(['spec', 'regions', index, 'name']),
            message: `regions: "${name}" is deployed, and ${capacity.at(['spec', 'regions'])} sizes ${played.map((region) => region.name).join(', ') || 'one region without a name'}`,
          },
        ],
  );
  return [...missing, ...strange, ...ofClusters(values)];
}

/** Two regions on the machines of one, or one region twice: residency of one of them is a word. */
function ofClusters({ value, at }: DeployInputs['values']): Problem[] {
  const regions = value.regions ?? [];
  return regions.flatMap((region, index) =>
    (['name', 'cluster'] as const).flatMap((key): Problem[] => {
      const before = regions.findIndex((other) => other[key] === region[key]);
      if (before === index) return [];
      const there = at(['spec', 'regions', before, key]);
      const message =
        key === 'name'
          ? `regions: "${region.name}" is there already, at ${there}`
          : `regions: "${region.name}" would run on the machines of ${region.cluster}, which ${there} gives to "${regions[before]!.name}"`;
      return [{ where: at(['spec', 'regions', index, key]), message }];
    }),
  );
}

function ofCanary({ canary, slo, values }: DeployInputs): Problem[] {
  const { rollout } = values.value;
  if (!canary) {
    if (rollout === undefined || rollout === 'none') return [];
    const message = `rollout: ${rollout} needs a canary analysis, and none was given (--canary) beside ${slo.at(['spec'])}`;
    return [{ where: values.at(['spec', 'rollout']), message }];
  }
  if (rollout === 'none') {
    const message = `rollout: none replaces all pods by the Deployments' own update, and ${canary.at(['spec', 'steps'])} asks for steps; leave one of them out`;
    return [{ where: values.at(['spec', 'rollout']), message }];
  }
  const { target, indicator, versions, unit, eventsPerUnit } = canary.value;
  const problems: Problem[] = [];
  const at = (key: string) => canary.at(['spec', key]);
  const objectives = slo.at(['spec', 'objectives']);
  if (!indicator)
    problems.push({
      where: at('indicator'),
      message: `indicator: is missing: ${objectives} says what is bad, the canary does not`,
    });
  if (!versions)
    problems.push({
      where: at('versions'),
      message: `versions: is missing: the pods of ${values.at(['spec', 'image'])} cannot be told apart`,
    });
  if (unit !== 'event' && eventsPerUnit === undefined)
    problems.push({
      where: at('unit'),
      message: `unit: ${unit}s are judged, and the events of ${objectives} are counted; write eventsPerUnit`,
    });
  const targets = slo.value.objectives.map((objective) => objective.target);
  if (!targets.some((one) => Math.abs(one - target) < 1e-9))
    problems.push({
      where: at('target'),
      message: `target: ${percentText(target)} is promised by no objective of ${objectives}: ${targets.map(percentText).join(', ')}`,
    });
  return problems;
}
