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

type Pod = {
  readonly spot: boolean;
  readonly readyAtMs: number;
  readonly noticeAtMs: number;
  /** What it carries now; undefined until it is ready. */
  streams: number | undefined;
  /** Under notice, with a replacement ordered: it serves until it goes, and is no replica. */
  isLeaving: boolean;
  isGone: boolean;
};

/**
 * The pods of one region, `initial` of them warm. Times move only forward. An order, a start, a
 * notice and a loss cost the same in a fleet of any size.
 */
export class Fleet {
  readonly #times: PodTimes;
  readonly #spot: SpotRules | undefined;
  readonly #random: Random;
  readonly #warmingStreams: number;
  /** Oldest first, which is the order in which pods become ready and warm. */
  readonly #ordered: Pod[] = [];
  #pastReady = 0;
  #pastWarm = 0;
  /** Oldest first, to be sent away from the end; the lost and the leaving are passed over. */
  readonly #stack: Pod[] = [];
  /** Spot pods by the second in which they get their notice, and those that have got it. */
  readonly #notices = new Map<number, Pod[]>();
  #noticedUntilS = -1;
  readonly #going: Pod[] = [];
  #pastGoing = 0;
  #capacity = 0;
  #ready = 0;
  readonly #staying = { all: 0, spot: 0 };
  readonly #paid = { all: 0, spot: 0 };
  #lost = 0;

  constructor(times: PodTimes, spot: SpotRules | undefined, initial: number, random: Random) {
    this.#times = times;
    this.#spot = spot;
    this.#random = random;
    this.#warmingStreams = Math.floor(times.streams * times.warmupShare);
    for (let i = 0; i < initial; i++) this.#order(-times.startupMs - times.warmupMs);
    this.#start(0);
  }

  /** Orders or removes pods until `replicas` stay. Unready ones go first, then the youngest. */
  scaleTo(replicas: number, nowMs: number): void {
    if (replicas === this.#staying.all) return;
    while (this.#staying.all < replicas) this.#order(nowMs);
    while (this.#staying.all > replicas) {
      const pod = this.#stack.pop()!;
      if (!pod.isLeaving && !pod.isGone) this.#remove(pod);
    }
    this.#start(nowMs);
  }

  /** Lets time pass: pods become ready and warm, spot pods get their notice and go. */
  advance(nowMs: number): void {
    if (this.#spot) this.#takeBack(this.#spot, nowMs);
    this.#start(nowMs);
  }

  /** Streams that the pods carry now. */
  capacity(): number {
    return this.#capacity;
  }

  /** Pods that count as replicas, leaving ones not among them. */
  replicas(): number {
    return this.#staying.all;
  }

  ready(): number {
    return this.#ready;
  }

  /** Pods that are paid for. */
  paid(): { onDemand: number; spot: number } {
    return { onDemand: this.#paid.all - this.#paid.spot, spot: this.#paid.spot };
  }

  /** Spot pods taken back so far. */
  lost(): number {
    return this.#lost;
  }

  #order(nowMs: number, onDemand = false): void {
    const spot = onDemand ? undefined : this.#spot;
    const isSpot = spot !== undefined && this.#staying.spot < Math.round(spot.share * (this.#staying.all + 1));
    const pod: Pod = {
      spot: isSpot,
      readyAtMs: nowMs + this.#times.startupMs,
      noticeAtMs: isSpot ? Math.max(0, nowMs) + this.#lifeMs(spot) : Number.POSITIVE_INFINITY,
      streams: undefined,
      isLeaving: false,
      isGone: false,
    };
    this.#ordered.push(pod);
    this.#stack.push(pod);
    count(this.#staying, pod, 1);
    count(this.#paid, pod, 1);
    if (pod.noticeAtMs === Number.POSITIVE_INFINITY) return;
    const atS = Math.max(this.#noticedUntilS + 1, Math.ceil(pod.noticeAtMs / 1000));
    const others = this.#notices.get(atS);
    if (others) others.push(pod);
    else this.#notices.set(atS, [pod]);
  }

  #lifeMs({ lossPerHour }: SpotRules): number {
    if (lossPerHour === 0) return Number.POSITIVE_INFINITY;
    return (-Math.log(1 - this.#random.uniform()) / -Math.log(1 - lossPerHour)) * 3_600_000;
  }

  #remove(pod: Pod): void {
    this.#leave(pod);
    pod.isGone = true;
    this.#capacity -= pod.streams ?? 0;
    count(this.#paid, pod, -1);
  }

  /** It is no replica any more. */
  #leave(pod: Pod): void {
    if (pod.isLeaving) return;
    pod.isLeaving = true;
    count(this.#staying, pod, -1);
    if (pod.streams !== undefined) this.#ready--;
  }

  #start(nowMs: number): void {
    const ordered = this.#ordered;
    for (; this.#pastReady < ordered.length && ordered[this.#pastReady]!.readyAtMs <= nowMs; this.#pastReady++) {
      const pod = ordered[this.#pastReady]!;
      if (pod.isGone) continue;
      pod.streams = this.#warmingStreams;
      this.#capacity += pod.streams;
      if (!pod.isLeaving) this.#ready++;
    }
    const coldFromMs = nowMs - this.#times.warmupMs;
    for (; this.#pastWarm < this.#pastReady && ordered[this.#pastWarm]!.readyAtMs <= coldFromMs; this.#pastWarm++) {
      const pod = ordered[this.#pastWarm]!;
      if (pod.isGone) continue;
      this.#capacity += this.#times.streams - this.#warmingStreams;
      pod.streams = this.#times.streams;
    }
    if (2 * this.#pastWarm < ordered.length) return;
    ordered.splice(0, this.#pastWarm);
    this.#pastReady -= this.#pastWarm;
    this.#pastWarm = 0;
  }

  /** Notices and losses up to now, by whole seconds. A pod under notice serves until it goes. */
  #takeBack({ fallback, noticeMs }: SpotRules, nowMs: number): void {
    for (const untilS = Math.floor(nowMs / 1000); this.#noticedUntilS < untilS; ) {
      const noticed = this.#notices.get(++this.#noticedUntilS) ?? [];
      this.#notices.delete(this.#noticedUntilS);
      for (const pod of noticed.sort((a, b) => a.noticeAtMs - b.noticeAtMs)) {
        if (pod.isGone) continue;
        this.#going.push(pod);
        if (fallback === 'spot') continue;
        this.#leave(pod);
        this.#order(nowMs, true);
      }
    }
    for (; (this.#going[this.#pastGoing]?.noticeAtMs ?? Infinity) + noticeMs <= nowMs; this.#pastGoing++) {
      const pod = this.#going[this.#pastGoing]!;
      if (pod.isGone) continue;
      this.#remove(pod);
      this.#lost++;
      if (fallback === 'spot') this.#order(nowMs);
    }
  }
}

function count(pods: { all: number; spot: number }, { spot }: Pod, by: 1 | -1): void {
  pods.all += by;
  if (spot) pods.spot += by;
}
