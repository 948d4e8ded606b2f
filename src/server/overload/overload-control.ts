import type { Lane } from '../../protocol/client-messages.ts';
import type { Limits } from '../limits.ts';
import { Carried } from './carried.ts';
import { halfRateFrom, Ladder, largerGroupsFrom, type Step, type Trend } from './ladder.ts';
import { type CoresUsed, LostCores } from './lost-cores.ts';
import { RecentPeak } from './recent-peak.ts';
import { SessionLimit } from './session-limit.ts';
import { StandingDelay } from './standing-delay.ts';

/** What the server knows of itself when it decides. */
export type ServerLoad = {
  /** All that have a place. */
  sessions: number;
  /** How many of them bring sound. */
  streaming(): number;
  /** Share of its time that the busiest thread worked since it was asked before, 0-1. */
  utilisation(): number;
  /** Share of the machine that nobody has used since it was asked before; absent: not known. */
  idle?(): number | undefined;
  /** Cores that it may use, and what it and others have used, as of then; absent: not known. */
  cores?(): number | undefined;
  used?(): CoresUsed | undefined;
};

/**
 * Keeps the promise to those inside: looks at what learners feel, refuses whom it cannot carry, and
 * spares those who are there what it must. All times in ms on the caller's clock.
 */
export class OverloadControl {
  readonly #limits: Limits;
  readonly #felt: StandingDelay;
  readonly #loop: StandingDelay;
  readonly #ladder: Ladder;
  readonly #carried: Carried;
  readonly #sessionLimit: SessionLimit;
  #tickedMs: number | undefined;
  #decidedMs = Number.NEGATIVE_INFINITY;
  /** How late the event loop was when it was last looked at. */
  #loopDelayMs = 0;
  #standingMs = 0;
  /** The same of the last moments: sooner known, and less sure. */
  #recentMs = 0;
  /** For how many decisions in a row the delay has run away. */
  #runningAway = 0;
  readonly #lostCores = new LostCores();
  readonly #late = new RecentPeak();
  #shedMs = Number.NEGATIVE_INFINITY;
  /** Sessions were sent away for a delay that is not over. */
  #isShedding = false;
  #batchShedMs = Number.NEGATIVE_INFINITY;

  /** @param cores of the machine, for the first guess */
  constructor(limits: Limits, cores: number) {
    this.#limits = limits;
    this.#felt = new StandingDelay(limits.overloadIntervalMs);
    this.#loop = new StandingDelay(limits.overloadIntervalMs);
    this.#ladder = new Ladder(limits);
    this.#carried = new Carried(limits);
    this.#sessionLimit = new SessionLimit(limits, cores);
  }

  /** Sessions at once, as learned so far. */
  get sessionLimit(): number {
    return this.#sessionLimit.value;
  }

  /** The delay that has stood for the last interval, ms. */
  get standingMs(): number {
    return this.#standingMs;
  }

  /** What sessions are spared now. */
  get step(): Step {
    return this.#ladder.step;
  }

  get level(): number {
    return this.#ladder.level;
  }

  /** A partial result went out `delayMs` after its sound was read from the socket. */
  felt(nowMs: number, delayMs: number): void {
    // What was read late had waited in the kernel for as long as the loop was elsewhere.
    this.#felt.add(nowMs, delayMs + this.#loopDelayMs);
  }

  /** What those who run the server see of it; `sessions`: how many there are. */
  numbers(nowMs: number, sessions: number): { level: number; standingMs: number; audioRate: number | undefined } {
    const audioRate = sessions === 0 ? 0 : this.#carried.rate(nowMs);
    return { level: this.level, standingMs: this.#standingMs, audioRate };
  }

  /** So much sound of some session has been scored. */
  scored(nowMs: number, ms: number): void {
    this.#carried.scored(nowMs, ms);
  }

  /**
   * To be called by a timer each `everyMs`: how late it comes is how late the loop is. True when
   * the step has changed.
   */
  tick(nowMs: number, everyMs: number, load: ServerLoad): boolean {
    this.#loopDelayMs = Math.max(0, nowMs - (this.#tickedMs ?? nowMs - everyMs) - everyMs);
    this.#tickedMs = nowMs;
    this.#late.add(nowMs, this.#loopDelayMs);
    this.#loop.add(nowMs, this.#loopDelayMs);
    if (nowMs - this.#decidedMs < this.#limits.decideEveryMs) return false;
    this.#decidedMs = nowMs;
    return this.#decide(nowMs, load);
  }

  /**
   * How late this server has read within the last minute, ms: what a client sent in real time may
   * seem to come that much too fast.
   */
  latenessMs(nowMs: number): number {
    return this.#late.of(nowMs);
  }

  /** Why those inside are served too late for anybody to join them; undefined: they are not. */
  lateness(sessions: number, lane: Lane): string | undefined {
    const { overloadDelayMs, leastSessions } = this.#limits;
    const isFew = sessions < leastSessions && lane === 'live';
    const lateMs = Math.max(this.#standingMs, this.#recentMs);
    if (isFew || (this.level === 0 && lateMs <= overloadDelayMs)) return undefined;
    return `feedback is ${Math.round(lateMs)} ms late for those who are here; overload_delay_ms is ${overloadDelayMs}`;
  }

  /**
   * How many sessions of each lane, of those that stream, are to be sent away now; asked again,
   * none before that has been felt. The batch lane goes first, and as soon as others are spared
   * something that they see.
   */
  takeShed(nowMs: number, streaming: () => Readonly<Record<Lane, number>>): Record<Lane, number> {
    const { batchShedEveryMs, batchShedShare, leastSessions } = this.#limits;
    const hasLost = this.#lostCores.lately(nowMs);
    const isSpared = this.level >= halfRateFrom || hasLost;
    if (!isSpared || this.#recentMs <= this.#lateFromMs(nowMs)) return { live: 0, batch: 0 };
    const sessions = streaming();
    const here = sessions.live + sessions.batch;
    const excess = this.#mayShed(nowMs)
      ? this.#carried.excess(nowMs, here, this.#recentMs, hasLost ? leastSpare : 0)
      : 0;
    const isBatchDue = nowMs - this.#batchShedMs >= batchShedEveryMs;
    const batchShare = isBatchDue ? Math.ceil(sessions.batch * batchShedShare) : 0;
    const batch = Math.min(sessions.batch, Math.max(excess, batchShare));
    const live = Math.min(Math.max(0, sessions.live - leastSessions), Math.max(0, excess - batch));
    if (batch > 0) this.#batchShedMs = nowMs;
    if (excess > 0) {
      this.#shedMs = nowMs;
      this.#isShedding = true;
    }
    if (live > 0) this.#sessionLimit.hold(nowMs, here - live - batch);
    return { live, batch };
  }

  /** Whether sessions may go now because there are more than the server carries. */
  #mayShed(nowMs: number): boolean {
    const { overloadDelayMs, shedEveryMs, sheddingAt } = this.#limits;
    if (nowMs - this.#shedMs < shedEveryMs) return false;
    if (this.step === 'shedding') return true;
    // A core that was taken away does not come back in a moment, as one that somebody uses may.
    if (this.#runningAway > 0 && this.#lostCores.lately(nowMs)) return true;
    const isLate = this.#recentMs > sheddingAt * overloadDelayMs;
    return isLate && (this.#isShedding || this.#runningAway >= sureDecisions);
  }

  #decide(nowMs: number, { sessions, streaming, utilisation, ...machine }: ServerLoad): boolean {
    const { leastSessions, overloadDelayMs, shedEveryMs } = this.#limits;
    // Of two results of a larger group the first waits for the second, which is no queue.
    const share = this.level >= largerGroupsFrom ? 0.25 : 0.5;
    this.#standingMs = Math.max(this.#felt.standingMs(nowMs, share), this.#loop.standingMs(nowMs));
    this.#recentMs = Math.max(this.#felt.recentMs(nowMs, share), this.#loop.recentMs(nowMs));
    const idle = machine.idle?.();
    const used = machine.used?.();
    const lostMs = this.#lostCores.look(nowMs, { cores: machine.cores?.(), idle, used });
    if (lostMs !== undefined) this.#carried.changed(lostMs);
    const trend = this.#trendOf(nowMs, streaming());
    if (this.#recentMs < overloadDelayMs) this.#isShedding = false;
    this.#runningAway = trend === 'runs away' ? this.#runningAway + 1 : 0;
    const verdict = this.#verdict(trend);
    if (Math.max(this.#standingMs, this.#recentMs) < overloadDelayMs) this.#carried.learn(nowMs, streaming());
    this.#sessionLimit.decide({ nowMs, sessions, utilisation: utilisation(), idle, used, verdict });
    // So few are no load: something else has the machine, and sparing them would not mend that.
    if (sessions < leastSessions) return this.#ladder.decide(nowMs, 0, 0);
    // That sessions were sent away has to be felt before those who stay are spared more.
    const wasShed = nowMs - this.#shedMs < 2 * shedEveryMs;
    const urgency = this.#lostCores.lately(nowMs) ? lostUrgency : 1;
    const delayMs = trend === 'runs away' ? urgency * this.#recentMs : this.#standingMs;
    const calmMs = Math.max(this.#felt.standingMs(nowMs), this.#loop.standingMs(nowMs));
    return this.#ladder.decide(nowMs, delayMs, calmMs, wasShed ? 'falls' : trend);
  }

  /** What those inside feel says of whether there is room for more. */
  #verdict(trend: Trend): 'over' | 'under' | undefined {
    const { overloadDelayMs } = this.#limits;
    if (this.#standingMs > overloadDelayMs) return trend === 'falls' ? undefined : 'over';
    // Whoever is there gets all of it back before anybody else is let in.
    const isCalm = Math.max(this.#standingMs, this.#recentMs) < overloadDelayMs / 2;
    return this.level === 0 && isCalm ? 'under' : undefined;
  }

  /** What becomes of the delay by what is scored of the sound that comes. */
  #trendOf(nowMs: number, streaming: number): Trend {
    const { overloadDelayMs, runawayShare } = this.#limits;
    const carried = this.#carried.sessions(nowMs);
    const lateFromMs = this.#lateFromMs(nowMs);
    if (carried === undefined || this.#recentMs <= lateFromMs) return undefined;
    if (carried > streaming * catchingUp) return 'falls';
    const runawayMs = this.#lostCores.lately(nowMs) ? lateFromMs : mostRunawayDelays * overloadDelayMs;
    const runsAway = this.#recentMs > runawayMs && carried < streaming * (1 - runawayShare);
    return runsAway ? 'runs away' : undefined;
  }

  /** How late feedback has to be to say something: less where it is known to get later. */
  #lateFromMs(nowMs: number): number {
    const { overloadDelayMs } = this.#limits;
    return this.#lostCores.lately(nowMs) ? overloadDelayMs / 2 : overloadDelayMs;
  }
}

/** How late feedback must be to run away, in `overloadDelayMs`. */
const mostRunawayDelays = 2;
/** What it is late by counts for so much more where cores were lost: it will be later soon. */
const lostUrgency = 2;
/** Share of a server that is kept free at least, for what waits and for what is lost meanwhile. */
const leastSpare = 0.2;
/** From how many times the sound of its sessions on that it scores a server gets less late. */
const catchingUp = 1.03;
/** For how many decisions in a row it has to run away before anybody goes for it. */
const sureDecisions = 2;
