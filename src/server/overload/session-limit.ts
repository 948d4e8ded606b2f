export type SessionLimitOptions = {
  /** Where it begins, and what it never goes below and above. */
  initial: number;
  least: number;
  most: number;
  /** Share of its time that the busiest thread may work, 0-1. */
  maxUtilisation: number;
};

/** What has been seen since the decision before. */
export type LoadSeen = {
  nowMs: number;
  sessions: number;
  /** Share of its time that the busiest thread worked, 0-1. */
  utilisation: number;
  /** Whether the delay stands above what it may be; undefined: between good and bad. */
  verdict: 'over' | 'under' | undefined;
};

/**
 * How many sessions this machine carries, learned while it carries them. As TCP and the concurrency
 * limits of proxies learn (additive increase, multiplicative decrease; Jacobson 1988), with two
 * differences, since a session stays for minutes and brings its load slowly: it grows only while
 * the sessions that are there fill it, and never beyond what the busiest thread would take at the
 * rate that it takes now. It grows by a share until it was too much for the first time (slow
 * start), by single sessions after that.
 */
export class SessionLimit {
  readonly #options: SessionLimitOptions;
  #limit: number;
  #isProbing = true;
  #cutMs = Number.NEGATIVE_INFINITY;
  /** Share of the busiest thread that a session takes; smoothed, since one alone reads unevenly. */
  #sessionTakes = 0;

  constructor(options: SessionLimitOptions) {
    this.#options = options;
    this.#limit = Math.min(options.initial, options.most);
  }

  /** Sessions at once. */
  get value(): number {
    return Math.floor(this.#limit);
  }

  /** To be called at even intervals. */
  decide({ nowMs, sessions, utilisation, verdict }: LoadSeen): void {
    const { least, most, maxUtilisation } = this.#options;
    if (sessions > 0) this.#sessionTakes += (utilisation / sessions - this.#sessionTakes) * smoothing;
    if (verdict === 'over') {
      this.#isProbing = false;
      // Nobody more comes in from here on. Those who are inside stay: their number falls as they
      // leave.
      this.#limit = Math.min(this.#limit, Math.max(least, sessions));
      if (nowMs - this.#cutMs >= betweenCutsMs) {
        this.#cutMs = nowMs;
        this.#limit = Math.max(least, this.#limit * decrease);
      }
      return;
    }
    const isFull = sessions >= this.#limit * fullShare;
    const roomFor = this.#sessionTakes > 0 ? maxUtilisation / this.#sessionTakes : Number.POSITIVE_INFINITY;
    // A thread that works without being late may only have to share its core; one that is getting
    // late has told how many it carries.
    const isTold = verdict === undefined && utilisation > knownAbove;
    if (isTold) this.#limit = Math.min(this.#limit, Math.max(least, sessions, roomFor));
    if (verdict === 'under' && isFull) {
      const grown = this.#limit + (this.#isProbing ? this.#limit * probing : probingAfter);
      this.#limit = Math.min(most, Math.max(this.#limit, Math.min(grown, roomFor)));
    }
  }
}

const smoothing = 0.3;
const knownAbove = 0.5;
/** A session that leaves or is refused takes time to be felt: cuts are this far apart. */
const betweenCutsMs = 2000;
const decrease = 0.95;
const fullShare = 0.9;
/** A decision comes each 250 ms: half as many more within a second, then one session a second. */
const probing = 0.1;
const probingAfter = 0.25;
