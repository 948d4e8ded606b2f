import type { Lane } from '../../protocol/client-messages.ts';
import type { Limits } from '../limits.ts';
import { halfRateFrom, Ladder, largerGroupsFrom, type Step } from './ladder.ts';
import { RecentPeak } from './recent-peak.ts';
import { SessionLimit } from './session-limit.ts';
import { StandingDelay } from './standing-delay.ts';

/** What the server knows of itself when it decides. */
export type ServerLoad = {
  sessions: number;
  /** Share of its time that the busiest thread worked since it was asked before, 0-1. */
  utilisation(): number;
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
  readonly #sessionLimit: SessionLimit;
  #tickedMs: number | undefined;
  #decidedMs = Number.NEGATIVE_INFINITY;
  /** How late the event loop was when it was last looked at. */
  #loopDelayMs = 0;
  #standingMs = 0;
  readonly #late = new RecentPeak();
  #shedMs = Number.NEGATIVE_INFINITY;

  /** @param cores of the machine, for the first guess */
  constructor(limits: Limits, cores: number) {
    this.#limits = limits;
    this.#felt = new StandingDelay(limits.overloadIntervalMs);
    this.#loop = new StandingDelay(limits.overloadIntervalMs);
    this.#ladder = new Ladder(limits);
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
    if (isFew || this.level === 0) return undefined;
    return `feedback is ${Math.round(this.#standingMs)} ms late for those who are here; overload_delay_ms is ${overloadDelayMs}`;
  }

  /**
   * How many sessions of each lane are to be sent away now; asked again, none before that has been
   * felt. The batch lane goes as soon as others are spared something that they see.
   */
  takeShed(nowMs: number, sessions: Readonly<Record<Lane, number>>): Record<Lane, number> {
    const { overloadDelayMs, shedEveryMs, shedShare, batchShedShare, leastSessions } = this.#limits;
    const isLate = this.#standingMs > overloadDelayMs;
    if (this.level < halfRateFrom || !isLate || nowMs - this.#shedMs < shedEveryMs) return { live: 0, batch: 0 };
    this.#shedMs = nowMs;
    const tooMany = Math.max(0, sessions.live - leastSessions);
    return {
      live: this.step === 'shedding' && sessions.batch === 0 ? Math.ceil(tooMany * shedShare) : 0,
      batch: Math.ceil(sessions.batch * batchShedShare),
    };
  }

  #decide(nowMs: number, { sessions, utilisation }: ServerLoad): boolean {
    const { overloadDelayMs, leastSessions } = this.#limits;
    // Of two results of a larger group the first waits for the second, which is no queue.
    const share = this.level >= largerGroupsFrom ? 0.25 : 0.5;
    this.#standingMs = Math.max(this.#felt.standingMs(nowMs, share), this.#loop.standingMs(nowMs));
    // Whoever is there gets all of it back before anybody else is let in.
    const under = this.level === 0 && this.#standingMs < overloadDelayMs / 2 ? 'under' : undefined;
    const verdict = this.#standingMs > overloadDelayMs ? 'over' : under;
    this.#sessionLimit.decide({ nowMs, sessions, utilisation: utilisation(), verdict });
    // So few are no load: something else has the machine, and sparing them would not mend that.
    return this.#ladder.decide(nowMs, sessions < leastSessions ? 0 : this.#standingMs);
  }
}
