import { usualDurationMs } from '../../capacity/plan/simulation.ts';
import { type Plan, podsFor } from '../../capacity/plan/sizes.ts';
import { spotPods } from '../../capacity/plan/spot.ts';
import { userCurve } from '../../capacity/scenario/users.ts';
import { durationText, numberText, percentText } from '../../format.ts';
import type { Figure } from '../document/figure.ts';
import type { DeployInputs } from './inputs.ts';
import { outrunningRise } from './lead.ts';

/** One pool of inference pods: those that are bought on demand, or as spot. */
export type Pool = { minReplicas: Figure; maxReplicas: Figure };

/** How many pods there are, and when that changes. */
export type ScaleFigures = {
  /** Share of its slots that a pod should have taken, as an HPA and as KEDA write it. */
  target: Figure;
  threshold: Figure;
  /** The target as a share of 1, for the arithmetic. */
  targetShare: number;
  demand: Pool;
  spot: Pool | undefined;
  behavior: BehaviorFigures;
  /** From a load to a pod that serves it. */
  leadMs: number;
  /** Pods of both pools. */
  min: number;
  max: number;
};

export type BehaviorFigures = {
  upWindow: Figure;
  up: readonly PolicyFigures[];
  downWindow: Figure;
  down: readonly PolicyFigures[];
};

export type PolicyFigures = { type: 'Percent' | 'Pods'; value: Figure; period: Figure };

/** `region` is the index of one in the plan; its users and pods are its own. */
export function scaleFigures(inputs: DeployInputs, plan: Plan, slots: Figure, region: number): ScaleFigures {
  const { spec } = plan;
  const { capacity } = inputs;
  const sync = spec.scaling?.sync ?? 15_000;
  const leadMs = spec.pod.startup + spec.pod.warmup + 2 * sync;
  const target = targetFigure(inputs, plan, leadMs);
  const bounds = boundsOf(inputs, plan, { region, target: target.share, leadMs });
  const threshold = Math.max(1, Math.floor(target.share * Number(slots.value)));
  return {
    target: target.figure,
    targetShare: target.share,
    threshold: {
      name: 'inference.targetSlots',
      value: String(threshold),
      why: `${percentText(target.share)} of the ${slots.value} slots of a pod`,
      from: [...target.figure.from, ...slots.from],
    },
    ...poolsOf(inputs, bounds),
    behavior: behaviorFigures(inputs, leadMs, capacity.value.scaling?.behavior),
    leadMs,
    min: Number(bounds.min.value),
    max: Number(bounds.max.value),
  };
}

function targetFigure(
  { capacity }: DeployInputs,
  { spec, streamsPerPod }: Plan,
  leadMs: number,
): { figure: Figure; share: number } {
  const { target, targetStreams } = spec.scaling ?? {};
  // As KEDA has it: how many streams a pod should have.
  const given = target ?? (targetStreams === undefined ? undefined : targetStreams / streamsPerPod);
  const share = given ?? Math.min(0.8, 1 / (1 + spec.headroom));
  const permille = Math.round(share * 1000);
  const lead = `until a pod serves a load that has come it takes ${durationText(leadMs)}, for which the rest is kept free`;
  const why =
    given !== undefined
      ? `the scenario plays ${percentText(given)}; ${lead}`
      : spec.headroom > 0.25
        ? `1 / (1 + ${percentText(spec.headroom)} headroom); ${lead}`
        : `a pod reads 100 % at most, and more than 80 % would hide an overload within the tolerance of 10 %; ${lead}`;
  const key =
    given === undefined ? ['spec', 'headroom'] : ['spec', 'scaling', target === undefined ? 'targetStreams' : 'target'];
  const from = [capacity.at(key), capacity.at(['spec', 'pod', 'startup'])];
  return { share: permille / 1000, figure: { name: 'inference.target', value: `${permille}m`, why, from } };
}

type Bounds = { min: Figure; max: Figure };

function boundsOf(
  { capacity }: DeployInputs,
  plan: Plan,
  { region, target, leadMs }: { region: number; target: number; leadMs: number },
): Bounds {
  const { spec } = plan;
  const { share, behind, minReplicas, maxReplicas } = plan.regions[region]!;
  const spike = spec.demand.spike;
  const curve = userCurve(
    plan.base,
    spike && { atMs: spike.at, factor: spike.factor, rampMs: spike.ramp, durationMs: spike.duration },
  );
  const absorbed = 1 / (target * (1 + (spec.scaling?.tolerance ?? 0.1)));
  const rise = outrunningRise((atMs) => share * curve(atMs - behind), {
    durationMs: usualDurationMs(plan),
    leadMs,
    absorbed,
    stepMs: spec.scaling?.sync ?? 15_000,
  });
  const alone = { ...plan, regions: [{ ...plan.regions[region]!, share: 1 }] };
  const needed = rise ? podsFor(alone, rise.users).binomial : 0;
  const demandAt = capacity.at(['spec', 'demand']);
  const peakFactor = spike?.factor ?? 1;
  const most = podsFor(alone, plan.users * share * peakFactor).withHeadroom;
  const givenMin = minReplicas ?? spec.scaling?.minReplicas;
  const givenMax = maxReplicas ?? spec.scaling?.maxReplicas;
  const scalingAt = (key: string) =>
    plan.regions[region] && key in plan.regions[region] && plan.regions[region][key as 'minReplicas'] !== undefined
      ? capacity.at(['spec', 'regions', region, key])
      : capacity.at(['spec', 'scaling', key]);
  const outrun = rise
    ? `users rise from ${numberText(Math.round(rise.from))} to ${numberText(Math.round(rise.users))} within the ${durationText(leadMs)} that a new pod needs: ${needed} pods must be there already`
    : `no rise outruns the ${durationText(leadMs)} that a new pod needs`;
  const min = Math.max(2, needed);
  return {
    min: {
      name: 'inference.minReplicas',
      value: givenMin ?? min,
      why:
        givenMin !== undefined
          ? `the scenario asks for ${givenMin}; ${outrun}`
          : rise && needed >= 2
            ? outrun
            : `${outrun}; two, so that the loss of one is no outage`,
      from: [givenMin === undefined ? demandAt : scalingAt('minReplicas'), capacity.at(['spec', 'pod', 'startup'])],
    },
    max: {
      name: 'inference.maxReplicas',
      value: givenMax ?? Math.max(most, givenMin ?? min),
      why:
        givenMax !== undefined
          ? `the scenario allows ${givenMax}`
          : `${numberText(Math.round(plan.users * share * peakFactor))} users at the most, with ${percentText(spec.headroom)} headroom; more would be a fault that costs money`,
      from: [givenMax === undefined ? demandAt : scalingAt('maxReplicas')],
    },
  };
}

function poolsOf({ capacity, values }: DeployInputs, { min, max }: Bounds): { demand: Pool; spot: Pool | undefined } {
  const spot = capacity.value.supply.selfHosted?.spot;
  if (!spot || spot.share === 0) return { demand: { minReplicas: min, maxReplicas: max }, spot: undefined };
  const [least, most] = [Number(min.value), Number(max.value)];
  const cheap = Math.round(least * spot.share);
  const firm = Math.max(least - cheap, Math.ceil(least * (values.value.spot?.floor ?? 0)), 1);
  const from = [capacity.at(['spec', 'supply', 'selfHosted', 'spot', 'share']), values.at(['spec', 'spot', 'floor'])];
  const insured = spotPods(cheap, spot.loss, spot.sure);
  const share = percentText(spot.share);
  return {
    demand: {
      minReplicas: {
        ...min,
        value: firm,
        why: `the on-demand part of ${least} pods, ${share} of which are spot; ${min.why}`,
        from: [...min.from, ...from],
      },
      maxReplicas: { ...max, why: `${max.why}; all of them, should no spot machine be had` },
    },
    spot: {
      minReplicas: {
        name: 'inferenceSpot.minReplicas',
        value: Math.max(1, insured),
        why: `${cheap} of ${least} pods, and as many more that ${percentText(spot.sure)} of the time enough are up when ${percentText(spot.loss)} are gone`,
        from: [...min.from, ...from],
      },
      maxReplicas: {
        name: 'inferenceSpot.maxReplicas',
        value: Math.max(1, insured, Math.ceil(most * spot.share)),
        why: `${share} of the ${most} pods at the most`,
        from: [...max.from, ...from],
      },
    },
  };
}

type GivenBehavior = NonNullable<DeployInputs['capacity']['value']['scaling']>['behavior'] | undefined;

function behaviorFigures({ capacity, values }: DeployInputs, leadMs: number, given: GivenBehavior): BehaviorFigures {
  const figure = (name: string, value: number, why: string, from: string[]): Figure => ({
    name: `inference.${name}`,
    value,
    why,
    from,
  });
  const played = 'as the scenario plays it';
  const kubernetes = ['Kubernetes, autoscaling/v2'];
  const at = (way: string) => [capacity.at(['spec', 'scaling', 'behavior', way])];
  const policies = (way: 'scaleUp' | 'scaleDown', usual: PolicyFigures[]): PolicyFigures[] =>
    given?.[way]?.policies?.map(({ type, value, periodSeconds }, i) => ({
      type,
      value: figure(`${way}.policy${i}.value`, value, played, at(way)),
      period: figure(`${way}.policy${i}.periodSeconds`, periodSeconds, played, at(way)),
    })) ?? usual;
  const look = 'a look of the autoscaler: each may order again';
  const drainSeconds = Math.min(1800, Math.ceil(values.value.inference.drain / 1000));
  const drainAt = [values.at(['spec', 'inference', 'drain'])];
  const wait = Math.max(300, Math.ceil((2 * leadMs) / 1000));
  return {
    upWindow: figure(
      'scaleUp.window',
      given?.scaleUp?.stabilizationWindowSeconds ?? 0,
      given?.scaleUp ? played : 'a class that begins is no peak to wait out',
      given?.scaleUp ? at('scaleUp') : kubernetes,
    ),
    up: policies('scaleUp', [
      {
        type: 'Percent',
        value: figure(
          'scaleUp.percent',
          100,
          'no more than twice as many at a look: what is read is never above 100 %',
          kubernetes,
        ),
        period: figure('scaleUp.percentSeconds', 15, look, kubernetes),
      },
      {
        type: 'Pods',
        value: figure('scaleUp.pods', 4, 'a small fleet may grow faster than by doubling', kubernetes),
        period: figure('scaleUp.podsSeconds', 15, look, kubernetes),
      },
    ]),
    downWindow: figure(
      'scaleDown.window',
      given?.scaleDown?.stabilizationWindowSeconds ?? wait,
      given?.scaleDown
        ? played
        : `twice the ${durationText(leadMs)} that a pod needs to come back, five minutes at least: a pause between two lessons takes no pods`,
      given?.scaleDown ? at('scaleDown') : [capacity.at(['spec', 'pod', 'startup'])],
    ),
    down: policies('scaleDown', [
      {
        type: 'Percent',
        value: figure('scaleDown.percent', 10, 'a tenth at a time: its sessions move to the others', [
          'docs/production.md, When a node goes',
        ]),
        period: figure(
          'scaleDown.percentSeconds',
          drainSeconds,
          'one drain: those that leave are gone before the next go',
          drainAt,
        ),
      },
    ]),
  };
}
