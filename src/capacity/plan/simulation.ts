import type { CapacitySpec } from '../scenario/spec.ts';
import { type Spike, userCurve } from '../scenario/users.ts';
import type { Scaling } from '../simulation/autoscaler.ts';
import type { SpotRules } from '../simulation/fleet.ts';
import { learnersInGroups } from '../simulation/groups.ts';
import { defaultScaleDown, defaultScaleUp, type ScalingRules, unruledScaleUp } from '../simulation/hpa.ts';
import { type SimulationOutcome, simulate, type WatchPlay } from '../simulation/simulate.ts';
import { countPods } from './pods.ts';
import type { SimulationResult } from './result.ts';
import type { Plan } from './sizes.ts';

/** Runs the plan through its spike or its day; `watch` hears how far it has come. */
export function simulatePlan(plan: Plan, watch?: WatchPlay): SimulationResult {
  const { spec, supply } = plan;
  const durationMs = spec.simulation.duration ?? usualDurationMs(plan);
  const { limits, pools } = managedPools(plan);
  const curve = userCurve(plan.base, spikeOf(spec));
  const users = plan.regions.map((region) => (atMs: number) => region.share * curve(atMs - region.behind));
  const groups = learnersInGroups(users, { duty: spec.demand.dutyCycle, turnMs: spec.demand.turn, durationMs });
  const outcome = simulate({
    regions: plan.regions.map((region, index) => {
      const initialPods = supply.selfHosted || !supply.managed ? startingPods(plan, region) : 0;
      return {
        name: region.name,
        pinned: region.pinned,
        managedPool: pools[index]!,
        group: groups[index]!,
        users: users[index]!,
        initialPods,
        scaling: scalingOf(spec, plan.streamsPerPod, initialPods, region),
      };
    }),
    managedLimits: limits,
    share: supply.selfHosted ? supply.selfHosted.share : supply.managed ? 0 : 1,
    spillover: spec.supply.spillover,
    pod: {
      streams: plan.streamsPerPod,
      startupMs: spec.pod.startup,
      warmupMs: spec.pod.warmup,
      warmupShare: spec.pod.warmupCapacity,
    },
    spot: spotOf(spec),
    duty: spec.demand.dutyCycle,
    turnMs: spec.demand.turn,
    durationMs,
    seed: spec.simulation.seed,
    watch,
  });
  return describe(plan, outcome, durationMs);
}

function describe({ spec, supply, streamsPerPod }: Plan, outcome: SimulationOutcome, durationMs: number) {
  const served = outcome.podMinutes + outcome.managedMinutes;
  const podHours = outcome.onDemandPodHours + outcome.spotPodHours;
  const total = costOfRun();
  return {
    seed: spec.simulation.seed,
    duration_ms: durationMs,
    streams: outcome.streams,
    degraded_stream_minutes: outcome.degradedMinutes,
    degraded_share: shareOf(outcome.degradedMinutes, served + outcome.degradedMinutes),
    p95_wait_ms: orNull(outcome.p95WaitMs),
    p99_wait_ms: orNull(outcome.p99WaitMs),
    never_served: outcome.neverServed,
    moved_streams: outcome.movedOut,
    spot_pods_lost: outcome.spotLost,
    peak_streams: outcome.peakStreams,
    peak_waiting: outcome.peakWaiting,
    peak_pods: outcome.peakPods,
    pod_hours: { on_demand: outcome.onDemandPodHours, spot: outcome.spotPodHours },
    self_hosted_minutes: outcome.podMinutes,
    managed_minutes: outcome.managedMinutes,
    self_hosted_share: shareOf(outcome.podMinutes, served),
    cost: {
      total,
      per_served_minute: total === null || served === 0 ? null : total / served,
      idle_share: podHours === 0 ? 0 : Math.max(0, 1 - outcome.podMinutes / (podHours * 60 * streamsPerPod)),
    },
    regions: outcome.regions.map(({ name, group, peakPods, degradedMinutes }) => ({
      name,
      learners_a_group: group,
      peak_pods: peakPods,
      degraded_stream_minutes: degradedMinutes,
    })),
    timeline: outcome.timeline,
  };

  function costOfRun(): number | null {
    const own = spec.supply.selfHosted;
    if (!own && !supply.managed) return null;
    const pods = own ? outcome.onDemandPodHours * own.price + outcome.spotPodHours * (own.spot?.price ?? own.price) : 0;
    return pods * (1 + (own?.overhead ?? 0)) + outcome.managedMinutes * (supply.managed?.pricePerMinute ?? 0);
  }
}

/** Until a quarter of an hour after the spike, to the end of the file, or an hour. */
export function usualDurationMs({ spec, base }: Plan): number {
  const { spike } = spec.demand;
  const quarter = 15 * 60_000;
  const file = typeof base === 'number' ? 0 : base.at(-1)!.minute * 60_000;
  const afterSpike = spike ? spike.at + 2 * spike.ramp + spike.duration + quarter : 0;
  return Math.max(file, afterSpike) || 4 * quarter;
}

type Region = Plan['regions'][number];

function startingPods({ spec, users, streamsPerPod }: Plan, { share, minReplicas, maxReplicas }: Region): number {
  if (spec.simulation.initialPods !== undefined) return spec.simulation.initialPods;
  if (spec.scaling?.kind === 'fixed' && spec.scaling.pods !== undefined) return spec.scaling.pods;
  const { headroom, blocking, demand } = spec;
  const planned = countPods({ users: users * share, duty: demand.dutyCycle, streamsPerPod, headroom, blocking });
  return Math.min(
    Math.max(planned.withHeadroom, minReplicas ?? spec.scaling?.minReplicas ?? 0),
    maxReplicas ?? spec.scaling?.maxReplicas ?? Infinity,
  );
}

/** Regions that name a managed limit have it to themselves; the others share the account's. */
function managedPools({ spec, regions }: Plan): { limits: number[]; pools: number[] } {
  if (!spec.supply.managed) return { limits: [], pools: regions.map(() => 0) };
  const limits = [spec.supply.managed.maxConcurrent ?? Number.POSITIVE_INFINITY];
  const pools = regions.map((region) => {
    const own = 'maxConcurrent' in region ? region.maxConcurrent : undefined;
    return own === undefined ? 0 : limits.push(own) - 1;
  });
  return { limits, pools };
}

function scalingOf(
  { scaling, headroom }: CapacitySpec,
  streamsPerPod: number,
  initialPods: number,
  region: Region,
): Scaling {
  if (scaling?.kind === 'fixed') return { kind: 'fixed', pods: scaling.pods ?? initialPods };
  const limits = {
    min: region.minReplicas ?? scaling?.minReplicas ?? Math.min(1, initialPods),
    max: region.maxReplicas ?? scaling?.maxReplicas ?? Math.max(1, 10 * initialPods),
    signal: scaling?.signal ?? 'pods',
    up: rulesOf(scaling?.behavior.scaleUp, scaling?.behavior.scaleDown ? defaultScaleUp : unruledScaleUp),
    down: rulesOf(scaling?.behavior.scaleDown, defaultScaleDown),
    tolerance: scaling?.tolerance ?? 0.1,
    syncMs: scaling?.sync ?? 15_000,
  };
  if (scaling?.kind === 'keda') {
    const { targetStreams, pollingInterval: pollingMs, cooldownPeriod: cooldownMs } = scaling;
    return { kind: 'keda', targetStreams: targetStreams ?? streamsPerPod, pollingMs, cooldownMs, ...limits };
  }
  // Pods can never read more than 100 %: a target too near that would hide every overload inside
  // the tolerance.
  return { kind: 'hpa', target: scaling?.target ?? Math.min(0.8, 1 / (1 + headroom)), ...limits };
}

type GivenRules = NonNullable<NonNullable<CapacitySpec['scaling']>['behavior']['scaleUp']>;

function rulesOf(given: GivenRules | undefined, usual: ScalingRules): ScalingRules {
  if (!given) return usual;
  const { stabilizationWindowSeconds: window, selectPolicy, policies } = given;
  return {
    stabilizationMs: window === undefined ? usual.stabilizationMs : window * 1000,
    select: ({ Max: 'max', Min: 'min', Disabled: 'disabled' } as const)[selectPolicy],
    policies: policies
      ? policies.map(({ type, value, periodSeconds }) => ({
          type: type === 'Percent' ? 'percent' : 'pods',
          value,
          periodMs: periodSeconds * 1000,
        }))
      : usual.policies,
  };
}

function spikeOf({ demand: { spike } }: CapacitySpec): Spike | undefined {
  return spike && { atMs: spike.at, factor: spike.factor, rampMs: spike.ramp, durationMs: spike.duration };
}

function spotOf({ supply: { selfHosted } }: CapacitySpec): SpotRules | undefined {
  const spot = selfHosted?.spot;
  return spot && { share: spot.share, lossPerHour: spot.lossPerHour, noticeMs: spot.notice, fallback: spot.fallback };
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
