import { createGovernor, replicasByTotal, replicasByUsage, replicasByValue, type ScaleLimits } from './hpa.ts';

/** What decides how many pods there are. */
export type Scaling =
  | { kind: 'fixed'; pods: number }
  | (ScaleLimits & {
      kind: 'hpa';
      /** Share of a pod's streams that should be taken: .75. */
      target: number;
      /** Each pod's streams, or the taken share of all places as one external metric. */
      signal?: 'pods' | 'slots';
      tolerance: number;
      syncMs: number;
    })
  | (ScaleLimits & {
      kind: 'keda';
      /** Streams in service or waiting, a pod; of `slots` those in service alone. */
      targetStreams: number;
      signal?: 'pods' | 'slots';
      tolerance: number;
      syncMs: number;
      /**
       * Between 0 and 1 pods KEDA itself decides: at this interval, and back to 0 after so long
       * without a stream.
       */
      pollingMs: number;
      cooldownMs: number;
    });

/** What the autoscaler can see at a moment. */
export type FleetView = {
  nowMs: number;
  pods: number;
  ready: number;
  streamsPerPod: number;
  /** Streams that pods serve. */
  busy: number;
  /** Streams that pods serve or that wait for one. */
  wanted: number;
};

/** Replicas wanted now; called each second, answers with what there is between its own syncs. */
export type Autoscaler = (view: FleetView) => number;

export function createAutoscaler(scaling: Scaling): Autoscaler {
  if (scaling.kind === 'fixed') return () => scaling.pods;
  if (scaling.kind === 'hpa') return createHpa(scaling);
  return createKeda(scaling);
}

/**
 * Watches how full the ready pods are. It cannot see who waits: full pods read 100 % whether ten
 * wait or ten thousand.
 */
function createHpa(scaling: Extract<Scaling, { kind: 'hpa' }>): Autoscaler {
  const govern = createGovernor(scaling);
  return ({ nowMs, pods, ready, streamsPerPod, busy }) => {
    // The controller leaves a workload at zero alone: that is how people switch it off.
    if (nowMs % scaling.syncMs !== 0 || (pods === 0 && scaling.min > 0 && nowMs > 0)) return pods;
    const target = scaling.target * streamsPerPod;
    const replicas = scaling.signal === 'slots' ? replicasByValue : replicasByUsage;
    return govern(nowMs, pods, replicas({ pods, ready, usage: busy, target, tolerance: scaling.tolerance }));
  };
}

/**
 * KEDA feeds the queue's length to an HPA of its own making; only 0 to 1 and back are its own
 * steps.
 */
function createKeda(scaling: Extract<Scaling, { kind: 'keda' }>): Autoscaler {
  const govern = createGovernor({ ...scaling, min: Math.max(1, scaling.min) });
  let lastWantedMs = 0;
  return ({ nowMs, pods, wanted, busy }) => {
    if (wanted > 0) lastWantedMs = nowMs;
    if (nowMs % scaling.pollingMs === 0) {
      if (pods === 0 && wanted > 0) return Math.max(1, scaling.min);
      if (scaling.min === 0 && wanted === 0 && nowMs - lastWantedMs >= scaling.cooldownMs) return 0;
    }
    if (pods === 0 || nowMs % scaling.syncMs !== 0) return pods;
    const total = scaling.signal === 'slots' ? busy : wanted;
    return govern(nowMs, pods, replicasByTotal(pods, total, scaling.targetStreams, scaling.tolerance));
  };
}
