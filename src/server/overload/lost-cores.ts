/** What was used of the machine since it was looked at before, in cores' worth of time. */
export type CoresUsed = { own: number; others: number };

/** What is known of the machine at one decision; each undefined where the system does not say. */
export type CoresSeen = {
  /** Cores that the server may use. */
  cores?: number | undefined;
  /** Share of the machine that nobody used, 0-1. */
  idle?: number | undefined;
  used?: CoresUsed | undefined;
};

/**
 * Tells a server that it is left fewer cores than it had: by those who say which it may use, or by
 * somebody who works beside it. That is known at once, long before what waits for the cores that
 * are left is late; and it is no passing weakness of its own, which would be over by itself.
 */
export class LostCores {
  #cores: number | undefined;
  #cutMs = Number.NEGATIVE_INFINITY;
  /** As it usually is: smoothed, and not moved by what may be a loss. */
  #usual: CoresUsed | undefined;
  /** Since when it has got less than usual, ms; undefined: it does not. */
  #lessSinceMs: number | undefined;
  #isTaken = false;

  /**
   * To be called at each decision.
   *
   * @returns since when it has been another machine, where that is news
   */
  look(nowMs: number, { cores, idle, used }: CoresSeen): number | undefined {
    const isCut = cores !== undefined && this.#cores !== undefined && cores < this.#cores;
    this.#cores = cores ?? this.#cores;
    if (isCut) this.#cutMs = nowMs;
    const takenMs = used && idle !== undefined ? this.#lookBeside(nowMs, used, idle) : undefined;
    return isCut ? nowMs : takenMs;
  }

  /** What it had let in has to fit into the cores that are left. */
  lately(nowMs: number): boolean {
    return this.#isTaken || nowMs - this.#cutMs < lostMs;
  }

  /** Since when others have what it had, once that is more than a moment's work of somebody. */
  #lookBeside(nowMs: number, used: CoresUsed, idle: number): number | undefined {
    this.#usual ??= { ...used };
    const lost = this.#usual.own - used.own;
    const gained = used.others - this.#usual.others;
    // What was taken and given back for a moment is not given back.
    const least = this.#isTaken ? this.#usual.own / 2 : this.#usual.own;
    const isLess = idle <= fullIdle && Math.min(lost / lostShare, gained / gainedShare) >= least;
    const sinceMs = this.#lessSinceMs ?? nowMs;
    const isOld = nowMs - sinceMs >= lostMs;
    if (!isLess || isOld) {
      const share = isOld ? 1 : smoothing;
      this.#usual.own += (used.own - this.#usual.own) * share;
      this.#usual.others += (used.others - this.#usual.others) * share;
      this.#lessSinceMs = undefined;
      this.#isTaken = false;
      return undefined;
    }
    this.#lessSinceMs = sinceMs;
    const isNews = !this.#isTaken && nowMs > sinceMs;
    this.#isTaken = nowMs > sinceMs;
    return isNews ? sinceMs : undefined;
  }
}

/** For how long a server that lost some of its cores takes no lateness for a passing one. */
const lostMs = 10_000;
/** With less than this share idle, what one gets another does without. */
const fullIdle = 0.05;
/**
 * How much less than usual it gets, and how much more others do, to have lost something: shares of
 * what it usually gets. What was idle is taken first.
 */
const lostShare = 0.05;
const gainedShare = 0.25;
const smoothing = 0.2;
