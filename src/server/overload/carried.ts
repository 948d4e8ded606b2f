import type { Limits } from '../limits.ts';
import { SoundRate } from './sound-rate.ts';

/**
 * How many sessions a late server carries: as many as bring as much sound as it scores. Sound that
 * waits is scored as fast as the machine can, so that this tells its speed while it works, without
 * a trial; and it tells a pause, after which a server catches up, from a loss of speed.
 */
export class Carried {
  readonly #limits: CarriedLimits;
  readonly #rate = new SoundRate();
  /** Since when the machine is the one that it is. */
  #sinceMs = Number.NEGATIVE_INFINITY;
  /** Seconds of sound a second that a session brings, learned while nobody is late. */
  #bringsShare = 1;
  #steadySessions = 0;
  #steadyFromMs = Number.NEGATIVE_INFINITY;

  constructor(limits: CarriedLimits) {
    this.#limits = limits;
  }

  /** Seconds of sound that are scored a second; undefined: too little was to tell. */
  rate(nowMs: number): number | undefined {
    return this.#rate.of(nowMs);
  }

  /** So much sound of some session has been scored. */
  scored(nowMs: number, ms: number): void {
    this.#rate.add(nowMs, ms);
  }

  /** The machine is another one from now on: what it carried before says nothing. */
  changed(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** Nobody is late: what is scored is what so many sessions bring, unless some have just come. */
  learn(nowMs: number, sessions: number): void {
    if (Math.abs(sessions - this.#steadySessions) > sessions * steadyShare) {
      this.#steadySessions = sessions;
      this.#steadyFromMs = nowMs;
    }
    const share = (this.#rate.of(nowMs) ?? 0) / sessions;
    const says = sessions >= this.#limits.leastSessions && nowMs - this.#steadyFromMs >= steadyMs;
    if (says && share > leastShare) this.#bringsShare += (Math.min(1, share) - this.#bringsShare) * smoothing;
  }

  /** Sessions; means something only while sound waits. Undefined: it stood still. */
  sessions(nowMs: number): number | undefined {
    const rate = this.#rate.of(nowMs, this.#sinceMs);
    return rate === undefined ? undefined : rate / this.#bringsShare;
  }

  /**
   * How many of so many sessions have to go, so that the others are carried and the delay is over
   * before long; a share of them at most, since a loss of speed may be over in a moment. Nobody has
   * to for what the server is catching up with by itself.
   *
   * @param leastSpare share of the server that is kept free at least
   */
  excess(nowMs: number, sessions: number, delayMs: number, leastSpare = 0): number {
    const { catchUpMs, mostCatchUpShare, shedShare } = this.#limits;
    const carried = this.sessions(nowMs);
    if (carried === undefined) return 0;
    const catchUp = Math.min(mostCatchUpShare, Math.max(leastSpare, delayMs / catchUpMs));
    const excess = Math.max(0, sessions - carried * (1 - catchUp));
    return Math.ceil(Math.min(excess, sessions * shedShare));
  }
}

type CarriedLimits = Pick<Limits, 'leastSessions' | 'catchUpMs' | 'mostCatchUpShare' | 'shedShare'>;

const smoothing = 0.1;
/** Less is a pause of everybody, and no way to speak. */
const leastShare = 0.1;
/** How much the number of sessions may change within which time to be what was scored. */
const steadyShare = 0.02;
const steadyMs = 1500;
