import type { CapacitySpec } from '../scenario/spec.ts';
import type { Supply } from './cost.ts';
import type { PodCounts } from './pods.ts';
import { spotPods } from './spot.ts';

/** The supply of a scenario with everything that it leaves out filled in from the plan's sizes. */
export function supplyOf(spec: CapacitySpec, active: number, streamsPerPod: number, pods: PodCounts): Supply {
  const { selfHosted: own, managed } = spec.supply;
  const planned = Math.min(1, active / (pods.withHeadroom * streamsPerPod));
  return {
    managed: managed && { pricePerMinute: managed.price, maxConcurrent: managed.maxConcurrent },
    selfHosted: own && {
      pricePerHour: pricePerHour(own, pods.minimum),
      overhead: own.overhead,
      share: own.share,
      fullMinutesPerHour: own.audioMinutesPerHour ?? 60 * streamsPerPod,
      utilisation: own.utilisation ?? (own.audioMinutesPerHour === undefined ? planned : 1),
    },
  };
}

/**
 * Spot pods to run so that the spot part of the minimum is up as surely as the scenario asks; null
 * without spot.
 */
export function spotFor({ supply }: CapacitySpec, minimum: number): number | null {
  const spot = supply.selfHosted?.spot;
  return spot ? spotPods(Math.round(minimum * spot.share), spot.loss, spot.sure) : null;
}

type Own = NonNullable<CapacitySpec['supply']['selfHosted']>;

/**
 * A spot pod that serves costs its price and its part of the ones that run in case others are lost.
 */
function pricePerHour({ price, spot }: Own, minimum: number): number {
  if (!spot) return price;
  const needed = Math.max(1, Math.round(minimum * spot.share));
  const reserve = spotPods(needed, spot.loss, spot.sure) / needed;
  return price * (1 - spot.share) + (spot.price ?? price) * reserve * spot.share;
}
