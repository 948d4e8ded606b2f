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
 * where pods are.
 */
export class Streams {
  readonly #routing: Routing;
  readonly #random: Random;
  readonly #count: number;
  readonly #hasManaged: boolean;
  readonly #speaking: Int32Array;
  readonly #served: Int32Array;
  readonly #managed: Int32Array;
  readonly #capacity: Int32Array;
  readonly #taken: Int32Array;
  readonly #managedTaken: Int32Array;
  readonly #lines: WaitingStreams[];
  readonly #waits = new WaitHistogram();
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
    this.#speaking = new Int32Array(this.#count);
    this.#served = new Int32Array(this.#count * this.#count);
    this.#managed = new Int32Array(this.#count);
    this.#capacity = new Int32Array(this.#count);
    this.#taken = new Int32Array(this.#count);
    this.#managedTaken = new Int32Array(routing.managedLimits.length);
    this.#lines = Array.from({ length: 2 * this.#count }, () => new WaitingStreams());
  }

  /** A learner begins to speak. */
  start(origin: number, nowMs: number): void {
    this.#total++;
    this.#started++;
    this.#speaking[origin]!++;
    const first = this.#preference();
    if (this.#place(origin, first)) this.#waits.record(0);
    else this.#wait(origin, first, nowMs);
  }

  /** The `index`-th stream of an origin ends; which one that is, only this file knows. */
  end(origin: number, index: number, nowMs: number): void {
    this.#total--;
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
    this.#waiting--;
    this.#waits.recordNever();
  }

  /**
   * The pods of a location now carry so many: more take from the waiting, fewer put streams out to
   * find another place.
   */
  setCapacity(location: number, streams: number, nowMs: number): void {
    this.#capacity[location] = streams;
    for (let over = this.#taken[location]! - streams; over > 0; over--) this.#putOut(location, nowMs);
    if (this.#waiting > 0) this.#serveFromLines(location, nowMs);
  }

  /** Learners of an origin who speak now, served or not. */
  speaking(origin: number): number {
    return this.#speaking[origin]!;
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
    return this.#lines[2 * origin]!.size() + this.#lines[2 * origin + 1]!.size();
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
    if (this.#taken[origin]! < this.#capacity[origin]!) return this.#enterPod(origin, origin);
    if (!this.#routing.spillover || this.#routing.regions[origin]!.pinned) return false;
    for (let location = 0; location < this.#count; location++) {
      if (this.#taken[location]! < this.#capacity[location]! && this.#mayCross(origin, location))
        return this.#enterPod(origin, location);
    }
    return false;
  }

  #enterPod(origin: number, location: number): true {
    this.#served[origin * this.#count + location]!++;
    this.#taken[location]!++;
    return true;
  }

  #placeManaged(origin: number): boolean {
    if (!this.#hasManaged) return false;
    const pool = this.#routing.regions[origin]!.managedPool;
    if (this.#managedTaken[pool]! >= this.#routing.managedLimits[pool]!) return false;
    this.#managedTaken[pool]!++;
    this.#managed[origin]!++;
    this.#inManaged++;
    return true;
  }

  #wait(origin: number, first: number, nowMs: number): void {
    this.#lines[2 * origin + first]!.join(nowMs);
    this.#waiting++;
  }

  #leavePod(origin: number, location: number, nowMs: number): void {
    this.#served[origin * this.#count + location]!--;
    this.#taken[location]!--;
    if (this.#waiting > 0) this.#serveFromLines(location, nowMs);
  }

  #leaveManaged(origin: number, nowMs: number): void {
    this.#managed[origin]!--;
    this.#inManaged--;
    const pool = this.#routing.regions[origin]!.managedPool;
    this.#managedTaken[pool]!--;
    if (this.#waiting > 0) {
      const next = this.#longestWaiting(
        (from, first) => this.#routing.regions[from]!.managedPool === pool && this.#reaches(first, bought),
      );
      if (next >= 0 && this.#placeManaged(next >> 1)) this.#leaveLine(next, nowMs);
    }
  }

  #serveFromLines(location: number, nowMs: number): void {
    while (this.#taken[location]! < this.#capacity[location]!) {
      const next = this.#longestWaiting(
        (from, first) => this.#mayCross(from, location) && this.#reaches(first, ownPods),
      );
      if (next < 0) return;
      this.#enterPod(next >> 1, location);
      this.#leaveLine(next, nowMs);
    }
  }

  #leaveLine(line: number, nowMs: number): void {
    this.#waits.record(nowMs - this.#lines[line]!.serve());
    this.#waiting--;
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
      if (rest >= this.#served[slot]!) {
        rest -= this.#served[slot]!;
        continue;
      }
      this.#served[slot]!--;
      this.#taken[location]!--;
      this.#movedOut++;
      if (!this.#place(origin, ownPods)) this.#wait(origin, ownPods, nowMs);
      return;
    }
  }
}
