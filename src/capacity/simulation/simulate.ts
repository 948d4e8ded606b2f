import { createRandom } from '../../stats/random.ts';
import { drawBinomial } from '../../stats/variates.ts';
import type { UserCurve } from '../scenario/users.ts';
import { createAutoscaler, type Scaling } from './autoscaler.ts';
import { createFleet, type PodTimes, type SpotRules } from './fleet.ts';
import { createStreams, type Routing } from './streams.ts';
import { createTimeline, type TimelinePoint } from './timeline.ts';

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
};

export type RegionInput = Routing['regions'][number] & {
  name: string;
  users: UserCurve;
  initialPods: number;
  scaling: Scaling;
};

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
  regions: { name: string; peakPods: number; degradedMinutes: number }[];
  timeline: TimelinePoint[];
};

/** Pods, autoscaler and the number of users move on this clock; streams begin and end between its ticks. */
const tickMs = 1000;

/**
 * The spike, stream by stream. Every user alternates between speaking (mean turnMs) and listening, so that at any moment
 * Bin(users, duty) want a stream; since both times are exponential, the next event of all users together is drawn exactly
 * (Gillespie 1977). Same seed, same run.
 */
export function simulate(input: SimulationInput): SimulationOutcome {
  const random = createRandom(input.seed);
  const streams = createStreams(input, random);
  const timeline = createTimeline(input.durationMs);
  const regions = input.regions.map((region, index) => ({
    ...region,
    index,
    fleet: createFleet(input.pod, input.spot, region.initialPods, random),
    autoscale: createAutoscaler(region.scaling),
    people: 0,
    peakPods: 0,
    degradedMs: 0,
  }));
  type Region = (typeof regions)[number];
  const startRate = input.duty / (Math.max(1e-9, 1 - input.duty) * input.turnMs);
  const endRate = 1 / input.turnMs;
  let [people, events, podMs, managedMs, waitingMs, onDemandMs, spotMs] = [0, 0, 0, 0, 0, 0, 0];
  const peak = { streams: 0, waiting: 0, pods: 0 };

  // People are there before the autoscaler first looks: it would send the pods of an empty class away.
  for (const { index, fleet } of regions) streams.setCapacity(index, fleet.capacity(), 0);
  for (const region of regions) movePeople(region, 0);
  for (let nowMs = 0; nowMs < input.durationMs; nowMs += tickMs) {
    for (const region of regions) movePods(region, nowMs);
    for (const region of regions) movePeople(region, nowMs);
    account(nowMs, Math.min(tickMs, input.durationMs - nowMs));
    runEvents(nowMs, Math.min(nowMs + tickMs, input.durationMs));
  }
  return outcome();

  function movePods(region: Region, nowMs: number): void {
    const { fleet, index } = region;
    fleet.advance(nowMs);
    const busy = streams.inPods(index);
    fleet.scaleTo(
      region.autoscale({
        nowMs,
        pods: fleet.replicas(),
        ready: fleet.ready(),
        streamsPerPod: input.pod.streams,
        busy,
        wanted: busy + streams.waitingAt(index),
      }),
      nowMs,
    );
    streams.setCapacity(index, fleet.capacity(), nowMs);
    region.peakPods = Math.max(region.peakPods, fleet.replicas());
  }

  /** Users come and go as the curve says; one who comes speaks with chance `duty`, one who goes may have been speaking. */
  function movePeople(region: Region, nowMs: number): void {
    const change = Math.round(region.users(nowMs)) - region.people;
    const speaking = change > 0 ? drawBinomial(random, change, input.duty) : 0;
    for (let i = 0; i < speaking; i++) streams.start(region.index, nowMs);
    for (let left = region.people; left > region.people + change; left--) {
      const one = random.index(left);
      if (one < streams.speaking(region.index)) streams.end(region.index, one, nowMs);
    }
    region.people += change;
    people += change;
  }

  function runEvents(fromMs: number, untilMs: number): void {
    let nowMs = fromMs;
    for (;;) {
      const starts = (people - streams.total()) * startRate;
      const rate = starts + streams.total() * endRate;
      const stepMs = rate > 0 ? -Math.log(1 - random.uniform()) / rate : Number.POSITIVE_INFINITY;
      const spentMs = Math.min(stepMs, untilMs - nowMs);
      const waiting = streams.waiting();
      waitingMs += waiting * spentMs;
      managedMs += streams.managed() * spentMs;
      podMs += (streams.total() - waiting - streams.managed()) * spentMs;
      nowMs += stepMs;
      if (nowMs >= untilMs) return;
      events++;
      const drawn = random.uniform() * rate;
      if (drawn < starts) startOne(Math.floor(drawn / startRate), nowMs);
      else endOne(Math.floor((drawn - starts) / endRate), nowMs);
    }
  }

  /** The `listener`-th of all who listen begins to speak. */
  function startOne(listener: number, nowMs: number): void {
    let rest = listener;
    for (const { index, people } of regions) {
      const listening = people - streams.speaking(index);
      if (rest < listening) {
        streams.start(index, nowMs);
        return;
      }
      rest -= listening;
    }
  }

  function endOne(speaker: number, nowMs: number): void {
    let rest = speaker;
    for (const { index } of regions) {
      const speaking = streams.speaking(index);
      if (rest < speaking) {
        streams.end(index, rest, nowMs);
        return;
      }
      rest -= speaking;
    }
  }

  function account(nowMs: number, forMs: number): void {
    let [ready, pods, capacity] = [0, 0, 0];
    for (const region of regions) {
      const paid = region.fleet.paid();
      onDemandMs += paid.onDemand * forMs;
      spotMs += paid.spot * forMs;
      ready += region.fleet.ready();
      pods += region.fleet.replicas();
      capacity += region.fleet.capacity();
      region.degradedMs += streams.waitingAt(region.index) * forMs;
    }
    const [wanted, waiting, managed] = [streams.total(), streams.waiting(), streams.managed()];
    peak.streams = Math.max(peak.streams, wanted);
    peak.waiting = Math.max(peak.waiting, waiting);
    peak.pods = Math.max(peak.pods, pods);
    const in_pods = wanted - waiting - managed;
    timeline.add({ at_ms: nowMs, wanted, in_pods, managed, waiting, capacity, ready, pods });
  }

  function outcome(): SimulationOutcome {
    const { waits } = streams;
    // Whoever still waits at the end has not been served: counting the wait so far would flatter the plan.
    for (let i = 0; i < streams.waiting(); i++) waits.recordNever();
    return {
      events,
      streams: streams.started(),
      podMinutes: podMs / 60_000,
      managedMinutes: managedMs / 60_000,
      degradedMinutes: waitingMs / 60_000,
      p95WaitMs: waits.quantileMs(0.95),
      p99WaitMs: waits.quantileMs(0.99),
      neverServed: waits.never(),
      movedOut: streams.movedOut(),
      spotLost: regions.reduce((sum, { fleet }) => sum + fleet.lost(), 0),
      peakStreams: peak.streams,
      peakWaiting: peak.waiting,
      peakPods: peak.pods,
      onDemandPodHours: onDemandMs / 3_600_000,
      spotPodHours: spotMs / 3_600_000,
      regions: regions.map(({ name, peakPods, degradedMs }) => ({
        name,
        peakPods,
        degradedMinutes: degradedMs / 60_000,
      })),
      timeline: timeline.points(),
    };
  }
}
