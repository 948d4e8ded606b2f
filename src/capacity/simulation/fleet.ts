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
/** A fleet of `initial` warm pods. */
export class Fleet {
  readonly #times: PodTimes;
  readonly #spot: SpotRules | undefined;
  readonly #random: Random;
  readonly #pods: Pod[] = [];
  #nextChangeMs = Number.POSITIVE_INFINITY;
  #capacity = 0;
  #ready = 0;
  #staying = 0;
  #spotCount = 0;
  #lost = 0;

  constructor(times: PodTimes, spot: SpotRules | undefined, initial: number, random: Random) {
    this.#times = times;
    this.#spot = spot;
    this.#random = random;
    for (let i = 0; i < initial; i++) this.#order(-times.startupMs - times.warmupMs);
    this.#recount(0);
  }

  /** Orders or removes pods until `replicas` stay. Unready ones go first, then the youngest. */
  scaleTo(replicas: number, nowMs: number): void {
    if (replicas === this.#staying) return;
    for (let count = this.#staying; count < replicas; count++) this.#order(nowMs);
    if (this.#staying > replicas) this.#remove(this.#staying - replicas, nowMs);
    this.#recount(nowMs);
  }

  /** Lets time pass: pods become ready and warm, spot pods get their notice and go. */
  advance(nowMs: number): void {
    if (nowMs < this.#nextChangeMs) return;
    if (this.#spot) for (const pod of [...this.#pods]) this.#takeBack(pod, nowMs);
    this.#recount(nowMs);
  }

  /** Streams that the pods carry now. */
  capacity(): number {
    return this.#capacity;
  }

  /** Pods that count as replicas, leaving ones not among them. */
  replicas(): number {
    return this.#staying;
  }

  ready(): number {
    return this.#ready;
  }

  /** Pods that are paid for. */
  paid(): { onDemand: number; spot: number } {
    return { onDemand: this.#pods.length - this.#spotCount, spot: this.#spotCount };
  }

  /** Spot pods taken back so far. */
  lost(): number {
    return this.#lost;
  }

  #order(nowMs: number, onDemand = false): void {
    const spots = this.#pods.filter((pod) => pod.spot && !pod.leaving).length;
    const stay = this.#pods.filter((pod) => !pod.leaving).length;
    const asSpot = !onDemand && this.#spot !== undefined && spots < Math.round(this.#spot.share * (stay + 1));
    const bornMs = Math.max(0, nowMs);
    const lifeMs =
      asSpot && this.#spot.lossPerHour > 0
        ? (-Math.log(1 - this.#random.uniform()) / -Math.log(1 - this.#spot.lossPerHour)) * 3_600_000
        : Number.POSITIVE_INFINITY;
    const noticeAtMs = bornMs + lifeMs;
    this.#pods.push({
      spot: asSpot,
      readyAtMs: nowMs + this.#times.startupMs,
      noticeAtMs,
      goneAtMs: noticeAtMs + (this.#spot?.noticeMs ?? 0),
      leaving: false,
    });
  }

  #remove(count: number, nowMs: number): void {
    const stay = this.#pods.filter((pod) => !pod.leaving);
    stay.sort((a, b) => Number(b.readyAtMs > nowMs) - Number(a.readyAtMs > nowMs) || b.readyAtMs - a.readyAtMs);
    for (const pod of stay.slice(0, count)) this.#pods.splice(this.#pods.indexOf(pod), 1);
  }

  #takeBack(pod: Pod, nowMs: number): void {
    if (this.#spot!.fallback === 'on-demand' && !pod.leaving && nowMs >= pod.noticeAtMs) {
      pod.leaving = true;
      this.#order(nowMs, true);
    }
    if (nowMs < pod.goneAtMs) return;
    this.#pods.splice(this.#pods.indexOf(pod), 1);
    this.#lost++;
    if (this.#spot!.fallback === 'spot') this.#order(nowMs);
  }

  /**
   * Counts once at each change, so that asking costs nothing. A pod under notice serves until it
   * goes.
   */
  #recount(nowMs: number): void {
    [this.#capacity, this.#ready, this.#staying, this.#spotCount] = [0, 0, 0, 0];
    this.#nextChangeMs = Number.POSITIVE_INFINITY;
    for (const pod of this.#pods) {
      const warmAtMs = pod.readyAtMs + this.#times.warmupMs;
      if (!pod.leaving) this.#staying++;
      if (pod.spot) this.#spotCount++;
      if (nowMs >= pod.readyAtMs) {
        this.#capacity +=
          nowMs >= warmAtMs ? this.#times.streams : Math.floor(this.#times.streams * this.#times.warmupShare);
        if (!pod.leaving) this.#ready++;
      }
      for (const atMs of [pod.readyAtMs, warmAtMs, pod.noticeAtMs, pod.goneAtMs]) {
        if (atMs > nowMs && atMs < this.#nextChangeMs) this.#nextChangeMs = atMs;
      }
    }
  }
}
