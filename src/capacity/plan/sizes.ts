import { exitCodes, SpeechfbError } from '../../errors.ts';
import { formatMs } from '../../format.ts';
import { type CurvePoint, type StreamsByCurve, streamsByCurve } from '../scenario/curve.ts';
import type { CapacitySpec } from '../scenario/spec.ts';
import { peakUsers, type UsersByMinute } from '../scenario/users.ts';
import type { Supply } from './cost.ts';
import { addPods, countPods, type PodCounts } from './pods.ts';
import { supplyOf } from './supply.ts';

/** What stood in files beside the scenario. */
export type PlanInputs = { users?: UsersByMinute | undefined; curve?: readonly CurvePoint[] | undefined };

/** What the parts of a plan share. */
export type Plan = {
  spec: CapacitySpec;
  base: number | UsersByMinute;
  /** At the peak, before any spike. */
  users: number;
  /** Streams on average when all of them are online. */
  active: number;
  streamsPerPod: number;
  byCurve: StreamsByCurve | undefined;
  regions: readonly NonNullable<CapacitySpec['regions']>[number][];
  pods: PodCounts;
  supply: Supply;
};

/**
 * Sizes a scenario. Throws `curve_over_limit` when no measured load of its curve keeps the limit.
 */
export function createPlan(spec: CapacitySpec, inputs: PlanInputs): Plan {
  const base = inputs.users ?? spec.demand.peakUsers!;
  const users = peakUsers(base);
  const active = users * spec.demand.dutyCycle;
  const byCurve = streamsFromCurve(spec, inputs);
  const streamsPerPod = spec.pod.streams ?? byCurve!.streams;
  const regions = spec.regions ?? [{ name: 'all', share: 1, pinned: false, behind: 0 }];
  const sized = { spec, base, users, active, streamsPerPod, byCurve, regions };
  const pods = podsFor(sized, users);
  return { ...sized, pods, supply: supplyOf(spec, active, streamsPerPod, pods) };
}

/** Pods for so many users by the rules of a plan; regions do not share theirs. */
export function podsFor({ spec, streamsPerPod, regions }: Omit<Plan, 'pods' | 'supply'>, users: number): PodCounts {
  const { headroom, blocking, demand } = spec;
  return addPods(
    regions.map(({ share }) =>
      countPods({ users: users * share, duty: demand.dutyCycle, streamsPerPod, headroom, blocking }),
    ),
  );
}

function streamsFromCurve({ pod }: CapacitySpec, inputs: PlanInputs): StreamsByCurve | undefined {
  if (!pod.profile) return undefined;
  const { percentile, value: valueMs } = pod.profile.slo;
  const answer = streamsByCurve(inputs.curve ?? pod.profile.points!, { percentile, valueMs });
  if (answer.streams > 0) return answer;
  const { streams, latencyMs } = answer.firstMiss!;
  const limit = `p${percentile} within ${formatMs(valueMs)}`;
  throw new SpeechfbError(
    'curve_over_limit',
    `no measured load keeps ${limit}: the first, ${streams} streams, ${Number.isFinite(latencyMs) ? `already takes ${formatMs(latencyMs)}` : 'leaves more unanswered than that'}`,
    { hint: 'measure fewer streams, or allow a later answer in pod.profile.slo', exitCode: exitCodes.missed },
  );
}
