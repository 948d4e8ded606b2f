import type { Random } from '../../stats/random.ts';
import { WaitHistogram } from '../queueing/wait-histogram.ts';
import { WaitingStreams } from '../queueing/waiting-streams.ts';

/** Where streams may go. */
export type Routing = {
  regions: readonly {
    /** Audio must not leave the region, nor come in. */
    pinned: boolean;
    /** Which managed limit this region's streams count against. */
    managedPool: number;
    /** Learners played as one: their streams begin, move and end together. 1 when left out. */
    group?: number;
  }[];
  /** Streams at once of each managed pool; empty when nothing is managed. */
  managedLimits: readonly number[];
  /** Share of the streams that prefer the own pods. */
  share: number;
  /** Whether a stream takes the other supply when the preferred one is full. */
  spillover: boolean;
};

const ownPods = 0;
const bought = 1;

/**
 * Counts by region, kept as streams start, move and end. Origins are where learners are, locations
 * where pods are. Whoever speaks, is served or waits is counted in groups of the origin; what is
 * taken, and every total, in streams.
 */
export class Streams {
  readonly #routing: Routing;
  readonly #random: Random;
  readonly #count: number;
  readonly #hasManaged: boolean;
  readonly #groups: readonly number[];
  readonly #speaking: Float64Array;
  readonly #served: Float64Array;
  readonly #managed: Float64Array;
  readonly #capacity: Float64Array;
  readonly #taken: Float64Array;
  readonly #managedTaken: Float64Array;
  readonly #lines: WaitingStreams[];
  readonly #waits = new WaitHistogram();
  #groupsSpeaking = 0;
  #total = 0;
  #started = 0;
  #waiting = 0;
  #inManaged = 0;
  #movedOut = 0;

  constructor(routing: Routing, random: Random) {
    this.#routing = routing;
    this.#random = random;
    this.#count = routing.regions.length;
    this.#hasManaged = routing.managedLimits.length > 0;
    this.#groups = routing.regions.map(({ group }) => group ?? 1);
    this.#speaking = new Float64Array(this.#count);
    this.#served = new Float64Array(this.#count * this.#count);
    this.#managed = new Float64Array(this.#count);
    this.#capacity = new Float64Array(this.#count);
    this.#taken = new Float64Array(this.#count);
    this.#managedTaken = new Float64Array(routing.managedLimits.length);
    this.#lines = Array.from({ length: 2 * this.#count }, () => new WaitingStreams());
  }

  /** A group of learners begins to speak. */
  start(origin: number, nowMs: number): void {
    const group = this.#groups[origin]!;
    this.#total += group;
    this.#started += group;
    this.#groupsSpeaking++;
    this.#speaking[origin]!++;
    const first = this.#preference();
    if (this.#place(origin, first)) this.#waits.record(0, group);
    else this.#wait(origin, first, nowMs);
  }

  /** The `index`-th group of an origin ends; which one that is, only this file knows. */
  end(origin: number, index: number, nowMs: number): void {
    const group = this.#groups[origin]!;
    this.#total -= group;
    this.#groupsSpeaking--;
    this.#speaking[origin]!--;
    let rest = index;
    for (let location = 0; location < this.#count; location++) {
      const here = this.#served[origin * this.#count + location]!;
      if (rest < here) {
        this.#leavePod(origin, location, nowMs);
        return;
      }
      rest -= here;
    }
    if (rest < this.#managed[origin]!) {
      this.#leaveManaged(origin, nowMs);
      return;
    }
    rest -= this.#managed[origin]!;
    const line = rest < this.#lines[2 * origin]!.size() ? 2 * origin : 2 * origin + 1;
    this.#lines[line]!.giveUp(this.#random);
    this.#waiting -= group;
    this.#waits.recordNever(group);
  }

  /**
   * The pods of a location now carry so many: more take from the waiting, fewer put streams out to
   * find another place.
   */
  setCapacity(location: number, streams: number, nowMs: number): void {
    this.#capacity[location] = streams;
    while (this.#taken[location]! > streams) this.#putOut(location, nowMs);
    if (this.#waiting > 0) this.#serveFromLines(location, nowMs);
  }

  /** Groups of an origin that speak now, served or not. */
  speaking(origin: number): number {
    return this.#speaking[origin]!;
  }

  groupsSpeaking(): number {
    return this.#groupsSpeaking;
  }

  total(): number {
    return this.#total;
  }

  waiting(): number {
    return this.#waiting;
  }

  inPods(location: number): number {
    return this.#taken[location]!;
  }

  managed(): number {
    return this.#inManaged;
  }

  /** Streams of an origin that wait for a pod there. */
  waitingAt(origin: number): number {
    return this.#groups[origin]! * (this.#lines[2 * origin]!.size() + this.#lines[2 * origin + 1]!.size());
  }

  /** Turns of speech that began. */
  started(): number {
    return this.#started;
  }

  /** Streams put out of a pod that went away. */
  movedOut(): number {
    return this.#movedOut;
  }

  get waits(): WaitHistogram {
    return this.#waits;
  }

  #preference(): number {
    return !this.#hasManaged || this.#routing.share >= 1 || this.#random.uniform() < this.#routing.share
      ? ownPods
      : bought;
  }

  #place(origin: number, first: number): boolean {
    if (first === ownPods ? this.#placeInPods(origin) : this.#placeManaged(origin)) return true;
    if (!this.#routing.spillover) return false;
    return first === ownPods ? this.#placeManaged(origin) : this.#placeInPods(origin);
  }

  #placeInPods(origin: number): boolean {
    if (this.#fits(origin, origin)) return this.#enterPod(origin, origin);
    if (!this.#routing.spillover || this.#routing.regions[origin]!.pinned) return false;
    for (let location = 0; location < this.#count; location++) {
      if (this.#fits(origin, location) && this.#mayCross(origin, location)) return this.#enterPod(origin, location);
    }
    return false;
  }

  #fits(origin: number, location: number): boolean {
    return this.#taken[location]! + this.#groups[origin]! <= this.#capacity[location]!;
  }

  #enterPod(origin: number, location: number): true {
    this.#served[origin * this.#count + location]!++;
    this.#taken[location]! += this.#groups[origin]!;
    return true;
  }

  #placeManaged(origin: number): boolean {
    if (!this.#hasManaged) return false;
    const pool = this.#routing.regions[origin]!.managedPool;
    const group = this.#groups[origin]!;
    if (this.#managedTaken[pool]! + group > this.#routing.managedLimits[pool]!) return false;
    this.#managedTaken[pool]! += group;
    this.#managed[origin]!++;
    this.#inManaged += group;
    return true;
  }

  #wait(origin: number, first: number, nowMs: number): void {
    this.#lines[2 * origin + first]!.join(nowMs);
    this.#waiting += this.#groups[origin]!;
  }

  #leavePod(origin: number, location: number, nowMs: number): void {
    this.#served[origin * this.#count + location]!--;
    this.#taken[location]! -= this.#groups[origin]!;
    if (this.#waiting > 0) this.#serveFromLines(location, nowMs);
  }

  #leaveManaged(origin: number, nowMs: number): void {
    const group = this.#groups[origin]!;
    this.#managed[origin]!--;
    this.#inManaged -= group;
    const pool = this.#routing.regions[origin]!.managedPool;
    this.#managedTaken[pool]! -= group;
    while (this.#waiting > 0) {
      const next = this.#longestWaiting(
        (from, first) => this.#routing.regions[from]!.managedPool === pool && this.#reaches(first, bought),
      );
      if (next < 0 || !this.#placeManaged(next >> 1)) return;
      this.#leaveLine(next, nowMs);
    }
  }

  #serveFromLines(location: number, nowMs: number): void {
    while (this.#taken[location]! < this.#capacity[location]!) {
      const next = this.#longestWaiting(
        (from, first) => this.#fits(from, location) && this.#mayCross(from, location) && this.#reaches(first, ownPods),
      );
      if (next < 0) return;
      this.#enterPod(next >> 1, location);
      this.#leaveLine(next, nowMs);
    }
  }

  #leaveLine(line: number, nowMs: number): void {
    const group = this.#groups[line >> 1]!;
    this.#waits.record(nowMs - this.#lines[line]!.serve(), group);
    this.#waiting -= group;
  }

  #longestWaiting(eligible: (origin: number, first: number) => boolean): number {
    let best = -1;
    for (let i = 0; i < this.#lines.length; i++) {
      if (this.#lines[i]!.size() === 0 || !eligible(i >> 1, i & 1)) continue;
      if (best < 0 || this.#lines[i]!.headMs() < this.#lines[best]!.headMs()) best = i;
    }
    return best;
  }

  #reaches(first: number, supply: number): boolean {
    return first === supply || this.#routing.spillover;
  }

  #mayCross(origin: number, location: number): boolean {
    if (origin === location) return true;
    return (
      this.#routing.spillover && !this.#routing.regions[origin]!.pinned && !this.#routing.regions[location]!.pinned
    );
  }

  /**
   * A stream of a pod that goes away looks for another place, as a learner's app would after
   * `go_away`.
   */
  #putOut(location: number, nowMs: number): void {
    let rest = this.#random.index(this.#taken[location]!);
    for (let origin = 0; origin < this.#count; origin++) {
      const slot = origin * this.#count + location;
      const group = this.#groups[origin]!;
      const streams = this.#served[slot]! * group;
      if (rest >= streams) {
        rest -= streams;
        continue;
      }
      this.#served[slot]!--;
      this.#taken[location]! -= group;
      this.#movedOut += group;
      if (!this.#place(origin, ownPods)) this.#wait(origin, ownPods, nowMs);
      return;
    }
  }
}
