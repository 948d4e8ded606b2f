import { CircuitState, ConsecutiveBreaker, CountBreaker, type IBreaker } from 'cockatiel';
import type { Clock } from '../clock/wheel.ts';
import type { BackendError, ErrorClass } from './backend.ts';

export type BreakerState = 'closed' | 'half-open' | 'open';

export type BreakerOptions = {
  /** So many faults with no success between them open it. */
  consecutive: number;
  /** So do faults that are this share of the last `window` outcomes, once there are `least`. */
  share: number;
  window: number;
  least: number;
  /** How long it stays open at first, by class, ms; each trial that fails doubles it. */
  openMs: Readonly<Record<ErrorClass, number>>;
  mostOpenMs: Readonly<Record<ErrorClass, number>>;
  /** A trial without an outcome for so long makes place for another, ms. */
  trialMs: number;
};

export const defaultBreaker: BreakerOptions = {
  consecutive: 5,
  share: 0.5,
  window: 20,
  least: 10,
  openMs: { fault: 5000, rate: 1000, auth: 60_000, budget: 60_000 },
  mostOpenMs: { fault: 60_000, rate: 60_000, auth: 300_000, budget: 300_000 },
  trialMs: 15_000,
};

export type BreakerStatus = {
  state: BreakerState;
  /** On the breaker's clock, ms. */
  sinceMs: number;
  /** What opened it last; undefined once it has closed. */
  why: BackendError | undefined;
  /** When a trial may begin, on the breaker's clock; undefined unless it is open. */
  untilMs: number | undefined;
};

/**
 * A session that it let through. Once it has opened, only the outcome of the newest trial moves it.
 */
export type Pass = { readonly isTrial: boolean };

/**
 * A circuit breaker that knows classes of errors. A key or a bill that is refused opens it at once
 * and for longer, a rate for as long as the backend asks, faults when there are too many of them.
 * When they do is decided by cockatiel; its own policy measures how long by the wall clock, which
 * may be set, and has one time for all errors, so that states and times are ours, on one clock.
 * What happens to sessions from before it opened changes nothing: no late failure makes it longer.
 */
export class Breaker {
  readonly #now: Clock;
  readonly #options: BreakerOptions;
  readonly #onChange: (status: BreakerStatus) => void;
  #judges: IBreaker[] = [];
  #state: BreakerState = 'closed';
  #sinceMs: number;
  #untilMs = 0;
  #why: BackendError | undefined;
  /** Openings without a success since. */
  #openings = 0;
  #trial: { pass: Pass; sinceMs: number } | undefined;

  constructor(now: Clock, options: BreakerOptions, onChange: (status: BreakerStatus) => void) {
    this.#now = now;
    this.#options = options;
    this.#onChange = onChange;
    this.#sinceMs = now();
    this.#forget();
  }

  get status(): BreakerStatus {
    const state = this.#state === 'open' && this.#now() >= this.#untilMs ? 'half-open' : this.#state;
    const sinceMs = state === this.#state ? this.#sinceMs : this.#untilMs;
    return { state, sinceMs, why: this.#why, untilMs: state === 'open' ? this.#untilMs : undefined };
  }

  /** Whether `admit` would let a session through. */
  get admits(): boolean {
    const { state } = this.status;
    return state === 'closed' || (state === 'half-open' && this.#mayTry());
  }

  /** Lets a session through, or not. */
  admit(): Pass | undefined {
    if (!this.admits) return undefined;
    if (this.#state === 'closed') return { isTrial: false };
    if (this.#state === 'open') this.#become('half-open');
    const pass = { isTrial: true };
    this.#trial = { pass, sinceMs: this.#now() };
    return pass;
  }

  succeeded(pass: Pass): void {
    if (this.#state === 'half-open' && this.#trial?.pass === pass) this.#close();
    else if (this.#state === 'closed') for (const judge of this.#judges) judge.success(CircuitState.Closed);
  }

  failed(pass: Pass, error: BackendError): void {
    if (this.#state === 'half-open' ? this.#trial?.pass === pass : this.#state === 'closed' && this.#isTooMuch(error))
      this.#open(error);
  }

  /** A session ended without an outcome. */
  left(pass: Pass): void {
    if (this.#trial?.pass === pass) this.#trial = undefined;
  }

  #mayTry(): boolean {
    return this.#trial === undefined || this.#now() - this.#trial.sinceMs >= this.#options.trialMs;
  }

  #isTooMuch(error: BackendError): boolean {
    if (error.class !== 'fault') return true;
    return this.#judges.map((judge) => judge.failure(CircuitState.Closed)).includes(true);
  }

  #open(why: BackendError): void {
    const { openMs, mostOpenMs } = this.#options;
    const first = openMs[why.class];
    const ownMs = Math.min(mostOpenMs[why.class], first * 2 ** this.#openings);
    this.#openings += 1;
    this.#untilMs = this.#now() + Math.max(why.retryAfterMs ?? 0, why.retryAfterMs === undefined ? ownMs : 0, leastMs);
    this.#why = why;
    this.#become('open');
  }

  #close(): void {
    this.#openings = 0;
    this.#why = undefined;
    this.#become('closed');
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#sinceMs = this.#now();
    this.#trial = undefined;
    this.#forget();
    this.#onChange(this.status);
  }

  #forget(): void {
    const { consecutive, share, window, least } = this.#options;
    // cockatiel opens above a share, so that a hair less of it opens at it.
    const threshold = Math.max(Number.EPSILON, share - 1e-9);
    this.#judges = [
      new ConsecutiveBreaker(consecutive),
      new CountBreaker({ threshold, size: window, minimumNumberOfCalls: least }),
    ];
  }
}

/** A backend that asks for no pause gets a short one. */
const leastMs = 100;
