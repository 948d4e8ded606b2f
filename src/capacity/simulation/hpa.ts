import { ceilSafe } from '../queueing/rounding.ts';

/**
 * How fast a Kubernetes HorizontalPodAutoscaler (autoscaling/v2) may go one way: its
 * `behavior.scaleUp` or `.scaleDown`.
 */
export type ScalingRules = {
  /** Up: the least, down: the most that was recommended within this time. */
  stabilizationMs: number;
  /** Which of the policies binds: the one that allows most, least, or none at all. */
  select: 'max' | 'min' | 'disabled';
  policies: readonly ScalingPolicy[];
};

/** `upTo` allows so many pods in all, whatever came before. */
type ScalingPolicy = { type: 'percent' | 'pods' | 'upTo'; value: number; periodMs: number };

/**
 * Kubernetes' own defaults: up by 100 % or 4 pods each 15 s, the greater; down after the largest of
 * 300 s.
 */
export const defaultScaleUp: ScalingRules = {
  stabilizationMs: 0,
  select: 'max',
  policies: [
    { type: 'percent', value: 100, periodMs: 15_000 },
    { type: 'pods', value: 4, periodMs: 15_000 },
  ],
};
export const defaultScaleDown: ScalingRules = {
  stabilizationMs: 300_000,
  select: 'max',
  policies: [{ type: 'percent', value: 100, periodMs: 15_000 }],
};

/**
 * The way up of a HorizontalPodAutoscaler that says nothing of `behavior`: the controller then
 * remembers no step, and each look may double the pods or make four of them, the greater
 * (`convertDesiredReplicasWithRules` of horizontal.go). Its way down is the default.
 */
export const unruledScaleUp: ScalingRules = {
  stabilizationMs: 0,
  select: 'max',
  policies: [
    { type: 'percent', value: 100, periodMs: 0 },
    { type: 'upTo', value: 4, periodMs: 0 },
  ],
};

export type PodUsage = {
  /** Pods that exist, ready or not. */
  pods: number;
  ready: number;
  /** Sum over the ready pods, in the unit of `target`. */
  usage: number;
  /** What each pod should use. */
  target: number;
  /** .1: within 10 % of the target nothing happens. */
  tolerance: number;
};

/**
 * Replicas by pod usage: ceil(pods x current / target), the rule of replica_calculator.go. Pods
 * that are not ready count as using nothing when scaling up, so that pods on their way are not
 * ordered twice; when that turns the direction, nothing happens. 50 pods at 90 of 75: 60.
 */
export function replicasByUsage({ pods, ready, usage, target, tolerance }: PodUsage): number {
  if (ready === 0) return pods;
  const ratio = usage / (ready * target);
  if (pods === ready || ratio <= 1) return near(ratio, tolerance) ? pods : ceilSafe(ratio * ready);
  const withStarting = usage / (pods * target);
  if (near(withStarting, tolerance) || withStarting < 1) return pods;
  return Math.max(pods, ceilSafe(withStarting * pods));
}

/**
 * Replicas by an external metric whose target is a `Value`: ceil(ready pods x value / target), the
 * rule of GetExternalMetricReplicas, unless within the tolerance. Pods that are not ready are left
 * out, up and down. Value and target are quantities, which have three digits behind the point, and
 * what floating point makes of them is rounded as it comes: 25 pods at .28 of .5 become 15. 88
 * ready pods of 115 at 1 of .77: 115.
 */
export function replicasByValue({ pods, ready, usage, target, tolerance }: PodUsage): number {
  if (ready === 0) return pods;
  const ratio = thousandths(usage / ready) / thousandths(target);
  return near(ratio, tolerance) ? pods : Math.ceil(ratio * ready);
}

/**
 * Replicas by a total such as a queue's length: ceil(total / target a pod), unless within the
 * tolerance of what there is.
 */
export function replicasByTotal(pods: number, total: number, target: number, tolerance: number): number {
  if (pods > 0 && near(total / (target * pods), tolerance)) return pods;
  return ceilSafe(total / target);
}

export type ScaleLimits = { min: number; max: number; up: ScalingRules; down: ScalingRules };

/**
 * Turns recommendations into replicas: stabilisation, then the policies, then the bounds. Keeps
 * what it did and when.
 */
export type Governor = (nowMs: number, pods: number, recommended: number) => number;

/**
 * The behaviour half of the controller (horizontal.go, stabilizeRecommendationWithBehaviors and
 * what follows it).
 */
export function createGovernor({ min, max, up, down }: ScaleLimits): Governor {
  let recommendations: { atMs: number; replicas: number }[] = [];
  let changes: { atMs: number; by: number }[] = [];
  const keepMs = Math.max(...[up, down].flatMap((rules) => rules.policies.map((policy) => policy.periodMs)), 0);
  const remember = Math.max(up.stabilizationMs, down.stabilizationMs);

  return (nowMs, pods, recommended) => {
    // The controller starts from what it finds, as if it had recommended that.
    if (recommendations.length === 0) recommendations.push({ atMs: nowMs, replicas: pods });
    // What is outside the bounds is brought back whatever is wanted, and is no recommendation.
    const next = pods > max ? max : pods < min ? min : bounded(nowMs, pods, stabilized(nowMs, pods, recommended));
    changes = changes.filter(({ atMs }) => atMs > nowMs - keepMs);
    if (next !== pods) changes.push({ atMs: nowMs, by: next - pods });
    return next;
  };

  function stabilized(nowMs: number, pods: number, recommended: number): number {
    const within = (ms: number) => recommendations.filter(({ atMs }) => atMs > nowMs - ms).map((r) => r.replicas);
    const least = Math.min(recommended, ...within(up.stabilizationMs));
    const most = Math.max(recommended, ...within(down.stabilizationMs));
    recommendations = recommendations.filter(({ atMs }) => atMs > nowMs - remember);
    recommendations.push({ atMs: nowMs, replicas: recommended });
    return Math.min(most, Math.max(least, pods));
  }

  function bounded(nowMs: number, pods: number, wanted: number): number {
    if (wanted > pods) return Math.min(wanted, max, Math.max(pods, limit(up, 1)));
    if (wanted < pods) return Math.max(wanted, min, Math.min(pods, limit(down, -1)));
    return pods;

    function limit(rules: ScalingRules, sign: 1 | -1): number {
      if (rules.select === 'disabled') return pods;
      const proposed = rules.policies.map(({ type, value, periodMs }) => {
        const recent = changes.filter(({ atMs }) => atMs > nowMs - periodMs).reduce((sum, { by }) => sum + by, 0);
        const before = pods - recent;
        if (type === 'upTo') return value;
        if (type === 'pods') return before + sign * value;
        const share = before * (1 + (sign * value) / 100);
        // Rounded as floating point has it, as the controller does: 10 % more than 50 are 56.
        return sign > 0 ? Math.ceil(share) : Math.floor(share);
      });
      const farthest = (rules.select === 'max') === sign > 0 ? Math.max : Math.min;
      return farthest(...proposed);
    }
  }
}

function thousandths(value: number): number {
  return Math.round(value * 1000);
}

/**
 * Whether a ratio is within the tolerance, its edges included: the controller divides whole
 * thousandths, which meet them.
 */
function near(ratio: number, tolerance: number): boolean {
  return Math.abs(ratio - 1) <= tolerance + 1e-9;
}
