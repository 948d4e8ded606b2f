import { createRandom, type Random } from '../../stats/random.ts';
import { drawBinomial } from '../../stats/variates.ts';
import type { UserCurve } from '../scenario/users.ts';
import { type Autoscaler, createAutoscaler, type Scaling } from './autoscaler.ts';
import { Fleet, type PodTimes, type SpotRules } from './fleet.ts';
import { type Routing, Streams } from './streams.ts';
import { Timeline, type TimelinePoint } from './timeline.ts';

export type SimulationInput = Omit<Routing, 'regions'> & {
  regions: readonly RegionInput[];
  pod: PodTimes;
  spot?: SpotRules | undefined;
  /** Share of the time that a user speaks, above 0. */
  duty: number;
  /** Mean length of one turn of speech; turns and pauses are exponential. */
  turnMs: number;
  durationMs: number;
  seed: number;
  watch?: WatchPlay | undefined;
};

export type RegionInput = Routing['regions'][number] & {
  name: string;
  users: UserCurve;
  initialPods: number;
  scaling: Scaling;
};

/** Told each second of the run how far it has come. */
export type WatchPlay = (playedMs: number, durationMs: number) => void;

/** What one simulated run came to. Minutes are stream-minutes; waits in ms, Infinity for never. */
export type SimulationOutcome = {
  events: number;
  /** Turns of speech, those under way at the start among them. */
  streams: number;
  podMinutes: number;
  managedMinutes: number;
  degradedMinutes: number;
  p95WaitMs: number;
  p99WaitMs: number;
  neverServed: number;
  movedOut: number;
  spotLost: number;
  peakStreams: number;
  peakWaiting: number;
  peakPods: number;
  onDemandPodHours: number;
  spotPodHours: number;
  regions: { name: string; group: number; peakPods: number; degradedMinutes: number }[];
  timeline: TimelinePoint[];
};

/**
 * Pods, autoscaler and the number of users move on this clock; streams begin and end between its
 * ticks.
 */
const tickMs = 1000;

/**
 * The spike, stream by stream, or group by group where a region's learners are played in groups,
 * which costs as much less. Every user alternates between speaking (mean turnMs) and listening,
 * so that at any moment Bin(users, duty) want a stream; since both times are exponential, the next
 * event of all users together is drawn exactly (Gillespie 1977). Same seed, same run.
 */
export function simulate(input: SimulationInput): SimulationOutcome {
  return new Simulation(input).run();
}

type Region = RegionInput & {
  index: number;
  fleet: Fleet;
  autoscale: Autoscaler;
  group: number;
  /** Groups that are online. */
  people: number;
  peakPods: number;
  degradedMs: number;
};

function newRegion(region: RegionInput, index: number, { pod, spot }: SimulationInput, random: Random): Region {
  return {
    ...region,
    index,
    fleet: new Fleet(pod, spot, region.initialPods, random),
    autoscale: createAutoscaler(region.scaling),
    group: region.group ?? 1,
    people: 0,
    peakPods: 0,
    degradedMs: 0,
  };
}

class Simulation {
  readonly #input: SimulationInput;
  readonly #random: Random;
  readonly #streams: Streams;
  readonly #timeline: Timeline;
  readonly #regions: readonly Region[];
  readonly #startRate: number;
  readonly #endRate: number;
  #people = 0;
  #events = 0;
  #podMs = 0;
  #managedMs = 0;
  #waitingMs = 0;
  #onDemandMs = 0;
  #spotMs = 0;
  readonly #peak = { streams: 0, waiting: 0, pods: 0 };

  constructor(input: SimulationInput) {
    this.#input = input;
    this.#random = createRandom(input.seed);
    this.#streams = new Streams(input, this.#random);
    this.#timeline = new Timeline(input.durationMs);
    this.#regions = input.regions.map((region, index) => newRegion(region, index, input, this.#random));
    this.#startRate = input.duty / (Math.max(1e-9, 1 - input.duty) * input.turnMs);
    this.#endRate = 1 / input.turnMs;
  }

  run(): SimulationOutcome {
    // People are there before the autoscaler first looks: it would send the pods of an empty class
    // away.
    for (const { index, fleet } of this.#regions) this.#streams.setCapacity(index, fleet.capacity(), 0);
    for (const region of this.#regions) this.#movePeople(region, 0);
    for (let nowMs = 0; nowMs < this.#input.durationMs; nowMs += tickMs) {
      for (const region of this.#regions) this.#movePods(region, nowMs);
      for (const region of this.#regions) this.#movePeople(region, nowMs);
      this.#account(nowMs, Math.min(tickMs, this.#input.durationMs - nowMs));
      this.#runEvents(nowMs, Math.min(nowMs + tickMs, this.#input.durationMs));
      this.#input.watch?.(nowMs, this.#input.durationMs);
    }
    return this.#outcome();
  }

  #movePods(region: Region, nowMs: number): void {
    const { fleet, index } = region;
    fleet.advance(nowMs);
    const busy = this.#streams.inPods(index);
    fleet.scaleTo(
      region.autoscale({
        nowMs,
        pods: fleet.replicas(),
        ready: fleet.ready(),
        streamsPerPod: this.#input.pod.streams,
        busy,
        wanted: busy + this.#streams.waitingAt(index),
      }),
      nowMs,
    );
    this.#streams.setCapacity(index, fleet.capacity(), nowMs);
    region.peakPods = Math.max(region.peakPods, fleet.replicas());
  }

  /**
   * Users come and go as the curve says; one who comes speaks with chance `duty`, one who goes may
   * have been speaking.
   */
  #movePeople(region: Region, nowMs: number): void {
    const change = Math.round(region.users(nowMs) / region.group) - region.people;
    const speaking = change > 0 ? drawBinomial(this.#random, change, this.#input.duty) : 0;
    for (let i = 0; i < speaking; i++) this.#streams.start(region.index, nowMs);
    for (let left = region.people; left > region.people + change; left--) {
      const one = this.#random.index(left);
      if (one < this.#streams.speaking(region.index)) this.#streams.end(region.index, one, nowMs);
    }
    region.people += change;
    this.#people += change;
  }

  #runEvents(fromMs: number, untilMs: number): void {
    let nowMs = fromMs;
    for (;;) {
      const speaking = this.#streams.groupsSpeaking();
      const starts = (this.#people - speaking) * this.#startRate;
      const rate = starts + speaking * this.#endRate;
      const stepMs = rate > 0 ? -Math.log(1 - this.#random.uniform()) / rate : Number.POSITIVE_INFINITY;
      const spentMs = Math.min(stepMs, untilMs - nowMs);
      const waiting = this.#streams.waiting();
      this.#waitingMs += waiting * spentMs;
      this.#managedMs += this.#streams.managed() * spentMs;
      this.#podMs += (this.#streams.total() - waiting - this.#streams.managed()) * spentMs;
      nowMs += stepMs;
      if (nowMs >= untilMs) return;
      this.#events++;
      const drawn = this.#random.uniform() * rate;
      if (drawn < starts) this.#startOne(Math.floor(drawn / this.#startRate), nowMs);
      else this.#endOne(Math.floor((drawn - starts) / this.#endRate), nowMs);
    }
  }

  /** The `listener`-th of all groups that listen begins to speak. */
  #startOne(listener: number, nowMs: number): void {
    let rest = listener;
    for (const { index, people } of this.#regions) {
      const listening = people - this.#streams.speaking(index);
      if (rest < listening) {
        this.#streams.start(index, nowMs);
        return;
      }
      rest -= listening;
    }
  }

  #endOne(speaker: number, nowMs: number): void {
    let rest = speaker;
    for (const { index } of this.#regions) {
      const speaking = this.#streams.speaking(index);
      if (rest < speaking) {
        this.#streams.end(index, rest, nowMs);
        return;
      }
      rest -= speaking;
    }
  }

  #account(nowMs: number, forMs: number): void {
    let [ready, pods, capacity] = [0, 0, 0];
    for (const region of this.#regions) {
      const paid = region.fleet.paid();
      this.#onDemandMs += paid.onDemand * forMs;
      this.#spotMs += paid.spot * forMs;
      ready += region.fleet.ready();
      pods += region.fleet.replicas();
      capacity += region.fleet.capacity();
      region.degradedMs += this.#streams.waitingAt(region.index) * forMs;
    }
    const [wanted, waiting, managed] = [this.#streams.total(), this.#streams.waiting(), this.#streams.managed()];
    this.#peak.streams = Math.max(this.#peak.streams, wanted);
    this.#peak.waiting = Math.max(this.#peak.waiting, waiting);
    this.#peak.pods = Math.max(this.#peak.pods, pods);
    const in_pods = wanted - waiting - managed;
    this.#timeline.add({ at_ms: nowMs, wanted, in_pods, managed, waiting, capacity, ready, pods });
  }

  #outcome(): SimulationOutcome {
    const { waits } = this.#streams;
    // Whoever still waits at the end has not been served: counting the wait so far would flatter
    // the plan.
    waits.recordNever(this.#streams.waiting());
    return {
      events: this.#events,
      streams: this.#streams.started(),
      podMinutes: this.#podMs / 60_000,
      managedMinutes: this.#managedMs / 60_000,
      degradedMinutes: this.#waitingMs / 60_000,
      p95WaitMs: waits.quantileMs(0.95),
      p99WaitMs: waits.quantileMs(0.99),
      neverServed: waits.never(),
      movedOut: this.#streams.movedOut(),
      spotLost: this.#regions.reduce((sum, { fleet }) => sum + fleet.lost(), 0),
      peakStreams: this.#peak.streams,
      peakWaiting: this.#peak.waiting,
      peakPods: this.#peak.pods,
      onDemandPodHours: this.#onDemandMs / 3_600_000,
      spotPodHours: this.#spotMs / 3_600_000,
      regions: this.#regions.map(({ name, group, peakPods, degradedMs }) => ({
        name,
        group,
        peakPods,
        degradedMinutes: degradedMs / 60_000,
      })),
      timeline: this.#timeline.points(),
    };
  }
}
