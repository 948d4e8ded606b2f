import type { Limits } from '../limits.ts';
import type { CoresUsed } from './lost-cores.ts';

/** What has been seen since the decision before. */
export type LoadSeen = {
  nowMs: number;
  sessions: number;
  /** Share of its time that the busiest thread worked, 0-1. */
  utilisation: number;
  /** Share of the whole machine that nobody uses, 0-1; undefined: not known. */
  idle?: number | undefined;
  /** Cores' worth of time that the server and others used; undefined: not known. */
  used?: CoresUsed | undefined;
  /** Whether the delay stands above what it may be; undefined: between good and bad. */
  verdict: 'over' | 'under' | undefined;
};

/**
 * How many sessions this machine carries, learned while it carries them. As TCP and the concurrency
 * limits of proxies learn (additive increase, multiplicative decrease; Jacobson 1988), with two
 * differences, since a session stays for minutes and brings its load slowly: it grows only while
 * the sessions that are there fill it, and never beyond what the busiest thread would take at the
 * rate that it takes now. It grows by a share until it was too much for the first time, or little
 * of the machine is idle (slow start). After that it climbs slowly from where it was cut, and
 * faster the longer nothing was late (as TCP does since Ha, Rhee and Xu, "CUBIC", 2008): what the
 * machine carries changes little, or altogether, when a neighbour goes. A neighbour that goes
 * leaves the machine idle, so that without that it does not haste into what is felt too late; and
 * of a machine that has nothing left it takes no more than it was first thought to carry. A first
 * guess that is too high for a machine is found out before anybody is late: while the server itself
 * fills it, places come as slowly as after a cut.
 */
export class SessionLimit {
  readonly #limits: Limits;
  readonly #guess: number;
  #limit: number;
  #isProbing = true;
  #cutMs = Number.NEGATIVE_INFINITY;
  /** The less of now and of the last moments: a quarter of a second alone says little. */
  #idle: number | undefined;
  #smoothIdle: number | undefined;
  /** Share of the busiest thread that a session takes; smoothed, since one alone reads unevenly. */
  #sessionTakes = 0;
  /** Places while the server itself fills the machine; undefined: it does not. */
  #held: number | undefined;

  /** @param cores of the machine, for the first guess */
  constructor(limits: Limits, cores: number) {
    const { initialSessions, sessionsACore, maxSessions } = limits;
    this.#limits = limits;
    this.#guess = initialSessions > 0 ? initialSessions : cores * sessionsACore;
    this.#limit = Math.min(this.#guess, maxSessions);
  }

  /** Sessions at once. */
  get value(): number {
    const { fixedSessions, maxSessions } = this.#limits;
    const learned = Math.min(this.#limit, this.#held ?? Number.POSITIVE_INFINITY);
    return Math.floor(Math.min(fixedSessions > 0 ? fixedSessions : learned, maxSessions));
  }

  get #least(): number {
    return Math.min(this.#limits.leastSessions, this.#limits.maxSessions);
  }

  /** To be called at even intervals. */
  decide({ nowMs, sessions, utilisation, idle, used, verdict }: LoadSeen): void {
    const { fixedSessions, maxUtilisation, knownUtilisation, fullShare } = this.#limits;
    if (fixedSessions > 0) return;
    if (idle !== undefined) {
      this.#smoothIdle ??= idle;
      this.#smoothIdle += (idle - this.#smoothIdle) * smoothing;
      this.#idle = Math.min(idle, this.#smoothIdle);
    }
    this.#holdBack(sessions, used, verdict);
    if (sessions > 0) this.#sessionTakes += (utilisation / sessions - this.#sessionTakes) * smoothing;
    if (verdict === 'over') {
      this.#cut(nowMs, sessions);
      return;
    }
    const isFull = sessions >= this.#limit * fullShare;
    const roomFor = this.#sessionTakes > 0 ? maxUtilisation / this.#sessionTakes : Number.POSITIVE_INFINITY;
    // A thread that works without being late may only have to share its core; one that is getting
    // late has told how many it carries.
    const isTold = verdict === undefined && utilisation > knownUtilisation;
    if (isTold) this.#limit = Math.min(this.#limit, Math.max(this.#least, sessions, roomFor));
    if (verdict === 'under' && isFull) this.#grow(nowMs, roomFor);
  }

  /** Whether so little of the machine is left that nobody knows what comes next to carry. */
  get #isTaken(): boolean {
    return this.#smoothIdle !== undefined && this.#smoothIdle < this.#limits.limitClimbIdle;
  }

  /** Lets those in whom it takes to know whether a machine that is full carries them. */
  #holdBack(sessions: number, used: CoresUsed | undefined, verdict: LoadSeen['verdict']): void {
    const { limitClimbPerSecond, decideEveryMs } = this.#limits;
    // Before there are some, it is the start of the server that takes what there is.
    const isOwnWork = sessions >= this.#least && used !== undefined && used.own >= used.others;
    if (!this.#isTaken || !isOwnWork) {
      this.#held = undefined;
      return;
    }
    const climb = verdict === 'under' ? (limitClimbPerSecond * decideEveryMs) / 1000 : 0;
    this.#held = Math.max(sessions, Math.min(this.#held ?? sessions, sessions + 1) + climb);
  }

  /** So many were sent away, and the server carries no more than are left. */
  hold(nowMs: number, sessions: number): void {
    if (this.#limits.fixedSessions > 0) return;
    this.#isProbing = false;
    this.#cutMs = nowMs;
    this.#limit = Math.max(this.#least, Math.min(this.#limit, sessions));
  }

  /**
   * Nobody more comes in from here on. Those who are inside stay: their number falls as they leave.
   */
  #cut(nowMs: number, sessions: number): void {
    const { limitDecrease, limitCutEveryMs } = this.#limits;
    this.#isProbing = false;
    this.#limit = Math.min(this.#limit, Math.max(this.#least, sessions));
    if (nowMs - this.#cutMs < limitCutEveryMs) return;
    this.#cutMs = nowMs;
    this.#limit = Math.max(this.#least, this.#limit * limitDecrease);
  }

  #grow(nowMs: number, roomFor: number): void {
    const { limitGrowth, limitGrowthIdle, limitClimbPerSecond, limitHasteMs, decideEveryMs } = this.#limits;
    // That others fill the machine is no reason to stay below what it is known to carry.
    if (this.#isTaken && this.#limit >= this.#guess) return;
    const hasRoom = this.#idle === undefined || this.#idle >= limitGrowthIdle;
    const haste = hasRoom ? 1 + ((nowMs - this.#cutMs) / limitHasteMs) ** 2 : 1;
    const climb = (haste * limitClimbPerSecond * decideEveryMs) / 1000;
    const grown = this.#limit + (this.#isProbing && hasRoom ? this.#limit * limitGrowth : climb);
    this.#limit = Math.min(this.#limits.maxSessions, Math.max(this.#limit, Math.min(grown, roomFor)));
  }
}

const smoothing = 0.3;
