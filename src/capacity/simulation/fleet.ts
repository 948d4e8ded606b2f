import type { Random } from '../../stats/random.ts';

export type PodTimes = {
  streams: number;
  /** From the order until the pod answers: node, image, model. */
  startupMs: number;
  /** From then until it carries its full streams. */
  warmupMs: number;
  /** Share of its streams that a warming pod carries. */
  warmupShare: number;
};

export type SpotRules = {
  /** Share of the pods that run on spot. */
  share: number;
  /** Chance an hour that a spot pod is taken back. */
  lossPerHour: number;
  /** Warning before it goes. */
  noticeMs: number;
  /** What replaces it: on demand, ordered at the notice; or spot again, ordered when it is gone. */
  fallback: 'on-demand' | 'spot';
};

type Pod = { spot: boolean; readyAtMs: number; noticeAtMs: number; goneAtMs: number; leaving: boolean };

/** The pods of one region. Times move only forward. */
export type Fleet = {
  /** Orders or removes pods until `replicas` stay. Unready ones go first, then the youngest. */
  scaleTo(replicas: number, nowMs: number): void;
  /** Lets time pass: pods become ready and warm, spot pods get their notice and go. */
  advance(nowMs: number): void;
  /** Streams that the pods carry now. */
  capacity(): number;
  /** Pods that count as replicas, leaving ones not among them. */
  replicas(): number;
  ready(): number;
  /** Pods that are paid for. */
  paid(): { onDemand: number; spot: number };
  /** Spot pods taken back so far. */
  lost(): number;
};

/** A fleet of `initial` warm pods. */
export function createFleet(times: PodTimes, spot: SpotRules | undefined, initial: number, random: Random): Fleet {
  const pods: Pod[] = [];
  let nextChangeMs = Number.POSITIVE_INFINITY;
  let [capacity, ready, staying, spotCount, lost] = [0, 0, 0, 0, 0];
  for (let i = 0; i < initial; i++) order(-times.startupMs - times.warmupMs);
  recount(0);

  return {
    scaleTo(replicas, nowMs) {
      if (replicas === staying) return;
      for (let count = staying; count < replicas; count++) order(nowMs);
      if (staying > replicas) remove(staying - replicas, nowMs);
      recount(nowMs);
    },
    advance(nowMs) {
      if (nowMs < nextChangeMs) return;
      if (spot) for (const pod of [...pods]) takeBack(pod, nowMs);
      recount(nowMs);
    },
    capacity: () => capacity,
    replicas: () => staying,
    ready: () => ready,
    paid: () => ({ onDemand: pods.length - spotCount, spot: spotCount }),
    lost: () => lost,
  };

  function order(nowMs: number, onDemand = false): void {
    const spots = pods.filter((pod) => pod.spot && !pod.leaving).length;
    const stay = pods.filter((pod) => !pod.leaving).length;
    const asSpot = !onDemand && spot !== undefined && spots < Math.round(spot.share * (stay + 1));
    const bornMs = Math.max(0, nowMs);
    const lifeMs =
      asSpot && spot.lossPerHour > 0
        ? (-Math.log(1 - random.uniform()) / -Math.log(1 - spot.lossPerHour)) * 3_600_000
        : Number.POSITIVE_INFINITY;
    const noticeAtMs = bornMs + lifeMs;
    pods.push({
      spot: asSpot,
      readyAtMs: nowMs + times.startupMs,
      noticeAtMs,
      goneAtMs: noticeAtMs + (spot?.noticeMs ?? 0),
      leaving: false,
    });
  }

  function remove(count: number, nowMs: number): void {
    const stay = pods.filter((pod) => !pod.leaving);
    stay.sort((a, b) => Number(b.readyAtMs > nowMs) - Number(a.readyAtMs > nowMs) || b.readyAtMs - a.readyAtMs);
    for (const pod of stay.slice(0, count)) pods.splice(pods.indexOf(pod), 1);
  }

  function takeBack(pod: Pod, nowMs: number): void {
    if (spot!.fallback === 'on-demand' && !pod.leaving && nowMs >= pod.noticeAtMs) {
      pod.leaving = true;
      order(nowMs, true);
    }
    if (nowMs < pod.goneAtMs) return;
    pods.splice(pods.indexOf(pod), 1);
    lost++;
    if (spot!.fallback === 'spot') order(nowMs);
  }

  /** Counts once at each change, so that asking costs nothing. A pod under notice serves until it goes. */
  function recount(nowMs: number): void {
    [capacity, ready, staying, spotCount] = [0, 0, 0, 0];
    nextChangeMs = Number.POSITIVE_INFINITY;
    for (const pod of pods) {
      const warmAtMs = pod.readyAtMs + times.warmupMs;
      if (!pod.leaving) staying++;
      if (pod.spot) spotCount++;
      if (nowMs >= pod.readyAtMs) {
        capacity += nowMs >= warmAtMs ? times.streams : Math.floor(times.streams * times.warmupShare);
        if (!pod.leaving) ready++;
      }
      for (const atMs of [pod.readyAtMs, warmAtMs, pod.noticeAtMs, pod.goneAtMs]) {
        if (atMs > nowMs && atMs < nextChangeMs) nextChangeMs = atMs;
      }
    }
  }
}
