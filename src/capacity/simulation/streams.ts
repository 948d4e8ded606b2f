import type { Random } from '../../stats/random.ts';
import { createWaitHistogram, type WaitHistogram } from '../queueing/wait-histogram.ts';
import { createWaitingLine, type WaitingLine } from '../queueing/waiting-line.ts';

/** Where streams may go. */
export type Routing = {
  regions: readonly {
    /** Audio must not leave the region, nor come in. */
    pinned: boolean;
    /** Which managed limit this region's streams count against. */
    managedPool: number;
  }[];
  /** Streams at once of each managed pool; empty when nothing is managed. */
  managedLimits: readonly number[];
  /** Share of the streams that prefer the own pods. */
  share: number;
  /** Whether a stream takes the other supply when the preferred one is full. */
  spillover: boolean;
};

/** Counts by region, kept as streams start, move and end. Origins are where learners are, locations where pods are. */
export type Streams = {
  /** A learner begins to speak. */
  start(origin: number, nowMs: number): void;
  /** The `index`-th stream of an origin ends; which one that is, only this file knows. */
  end(origin: number, index: number, nowMs: number): void;
  /** The pods of a location now carry so many: more take from the waiting, fewer put streams out to find another place. */
  setCapacity(location: number, capacity: number, nowMs: number): void;
  /** Learners of an origin who speak now, served or not. */
  speaking(origin: number): number;
  total(): number;
  waiting(): number;
  inPods(location: number): number;
  managed(): number;
  /** Streams of an origin that wait for a pod there. */
  waitingAt(origin: number): number;
  /** Turns of speech that began. */
  started(): number;
  /** Streams put out of a pod that went away. */
  movedOut(): number;
  waits: WaitHistogram;
};

const ownPods = 0;
const bought = 1;

export function createStreams(routing: Routing, random: Random): Streams {
  const count = routing.regions.length;
  const hasManaged = routing.managedLimits.length > 0;
  const speaking = new Int32Array(count);
  const served = new Int32Array(count * count);
  const managed = new Int32Array(count);
  const capacity = new Int32Array(count);
  const taken = new Int32Array(count);
  const managedTaken = new Int32Array(routing.managedLimits.length);
  const lines: WaitingLine[] = Array.from({ length: 2 * count }, createWaitingLine);
  const waits = createWaitHistogram();
  let [total, started, waiting, inManaged, movedOut] = [0, 0, 0, 0, 0];

  return {
    start(origin, nowMs) {
      total++;
      started++;
      speaking[origin]!++;
      const first = preference();
      if (place(origin, first)) waits.record(0);
      else wait(origin, first, nowMs);
    },
    end(origin, index, nowMs) {
      total--;
      speaking[origin]!--;
      let rest = index;
      for (let location = 0; location < count; location++) {
        const here = served[origin * count + location]!;
        if (rest < here) return leavePod(origin, location, nowMs);
        rest -= here;
      }
      if (rest < managed[origin]!) return leaveManaged(origin, nowMs);
      rest -= managed[origin]!;
      const line = rest < lines[2 * origin]!.size() ? 2 * origin : 2 * origin + 1;
      lines[line]!.giveUp(random);
      waiting--;
      waits.recordNever();
    },
    setCapacity(location, streams, nowMs) {
      capacity[location] = streams;
      for (let over = taken[location]! - streams; over > 0; over--) putOut(location, nowMs);
      if (waiting > 0) serveFromLines(location, nowMs);
    },
    speaking: (origin) => speaking[origin]!,
    total: () => total,
    waiting: () => waiting,
    inPods: (location) => taken[location]!,
    managed: () => inManaged,
    waitingAt: (origin) => lines[2 * origin]!.size() + lines[2 * origin + 1]!.size(),
    started: () => started,
    movedOut: () => movedOut,
    waits,
  };

  function preference(): number {
    return !hasManaged || routing.share >= 1 || random.uniform() < routing.share ? ownPods : bought;
  }

  function place(origin: number, first: number): boolean {
    if (first === ownPods ? placeInPods(origin) : placeManaged(origin)) return true;
    if (!routing.spillover) return false;
    return first === ownPods ? placeManaged(origin) : placeInPods(origin);
  }

  function placeInPods(origin: number): boolean {
    if (taken[origin]! < capacity[origin]!) return enterPod(origin, origin);
    if (!routing.spillover || routing.regions[origin]!.pinned) return false;
    for (let location = 0; location < count; location++) {
      if (taken[location]! < capacity[location]! && mayCross(origin, location)) return enterPod(origin, location);
    }
    return false;
  }

  function enterPod(origin: number, location: number): true {
    served[origin * count + location]!++;
    taken[location]!++;
    return true;
  }

  function placeManaged(origin: number): boolean {
    if (!hasManaged) return false;
    const pool = routing.regions[origin]!.managedPool;
    if (managedTaken[pool]! >= routing.managedLimits[pool]!) return false;
    managedTaken[pool]!++;
    managed[origin]!++;
    inManaged++;
    return true;
  }

  function wait(origin: number, first: number, nowMs: number): void {
    lines[2 * origin + first]!.join(nowMs);
    waiting++;
  }

  function leavePod(origin: number, location: number, nowMs: number): void {
    served[origin * count + location]!--;
    taken[location]!--;
    if (waiting > 0) serveFromLines(location, nowMs);
  }

  function leaveManaged(origin: number, nowMs: number): void {
    managed[origin]!--;
    inManaged--;
    const pool = routing.regions[origin]!.managedPool;
    managedTaken[pool]!--;
    if (waiting > 0) {
      const next = longestWaiting(
        (from, first) => routing.regions[from]!.managedPool === pool && reaches(first, bought),
      );
      if (next >= 0 && placeManaged(next >> 1)) leaveLine(next, nowMs);
    }
  }

  function serveFromLines(location: number, nowMs: number): void {
    while (taken[location]! < capacity[location]!) {
      const next = longestWaiting((from, first) => mayCross(from, location) && reaches(first, ownPods));
      if (next < 0) return;
      enterPod(next >> 1, location);
      leaveLine(next, nowMs);
    }
  }

  function leaveLine(line: number, nowMs: number): void {
    waits.record(nowMs - lines[line]!.serve());
    waiting--;
  }

  function longestWaiting(eligible: (origin: number, first: number) => boolean): number {
    let best = -1;
    for (let i = 0; i < lines.length; i++) {
      if (lines[i]!.size() === 0 || !eligible(i >> 1, i & 1)) continue;
      if (best < 0 || lines[i]!.headMs() < lines[best]!.headMs()) best = i;
    }
    return best;
  }

  function reaches(first: number, supply: number): boolean {
    return first === supply || routing.spillover;
  }

  function mayCross(origin: number, location: number): boolean {
    if (origin === location) return true;
    return routing.spillover && !routing.regions[origin]!.pinned && !routing.regions[location]!.pinned;
  }

  /** A stream of a pod that goes away looks for another place, as a learner's app would after `go_away`. */
  function putOut(location: number, nowMs: number): void {
    let rest = random.index(taken[location]!);
    for (let origin = 0; origin < count; origin++) {
      const slot = origin * count + location;
      if (rest >= served[slot]!) {
        rest -= served[slot]!;
        continue;
      }
      served[slot]!--;
      taken[location]!--;
      movedOut++;
      if (!place(origin, ownPods)) wait(origin, ownPods, nowMs);
      return;
    }
  }
}
