import type { Hindrance } from '../routing/decide/decide.ts';
import { canDo } from '../routing/policy/capabilities.ts';
import {
  type Backend,
  type BackendError,
  type ErrorClass,
  errorClasses,
  type Hearing,
  type HearingEvents,
  type HearingInput,
} from './backend.ts';
import { Breaker, type BreakerStatus, defaultBreaker } from './breaker.ts';
import {
  type BackendGuardOptions,
  defaultRetry,
  defaultTimeouts,
  type RetryOptions,
  type TimeoutOptions,
} from './guard-options.ts';
import { GuardedHearing, type Ward } from './guarded-hearing.ts';
import { AdaptiveTimeout } from './measured/adaptive-timeout.ts';
import { Spend } from './measured/spend.ts';
import type { RetryBudget } from './retry-budget.ts';
import { systemTime, type Time } from './time.ts';

/** Why a session cannot begin at a backend now. */
type BackendHindrance = {
  why: Hindrance;
  /** For operators. */
  message: string;
  /** When it may be otherwise, ms from now; absent where nobody knows. */
  retryAfterMs?: number | undefined;
};

/** A guarded backend as values, for metrics and operators. */
type BackendStatus = {
  /** The breaker; its times are ms on the guard's clock. */
  breaker: BreakerStatus;
  sessions: number;
  maxSessions: number | undefined;
  /** Dollars in the last 60 minutes, and how many there may be. */
  spent: number;
  most: number | undefined;
  /** How long it is waited for now, ms. */
  timeoutsMs: Readonly<Record<keyof TimeoutOptions, number>>;
  /** Since it was made. */
  counts: {
    opened: number;
    retried: number;
    finals: number;
    /** Hearings that waited in vain; each is a fault too. */
    timedOut: number;
    failed: Readonly<Record<ErrorClass, number>>;
    /** Sessions that were not let through. */
    hindered: Readonly<Record<Hindrance, number>>;
  };
};

export type GuardedBackend = Backend & {
  /** Undefined: `open` lets the next session through. */
  hindrance(): BackendHindrance | undefined;
  status(): BackendStatus;
};

/**
 * Puts guards round a backend: a circuit breaker, a bulkhead, a cap on what it costs, measured
 * timeouts, and retries of an opening that failed. What is not let through ends with an error of
 * the class `rate` (full), `budget` (over its cost) or that of what opened the breaker.
 */
export function guard(backend: Backend, options: BackendGuardOptions): GuardedBackend {
  return new Guard(backend, options);
}

class Guard implements GuardedBackend, Ward {
  readonly name: string;
  readonly kind: Backend['kind'];
  readonly backend: Backend;
  readonly time: Time;
  readonly random: () => number;
  readonly retry: RetryOptions;
  readonly retryBudget: RetryBudget;
  readonly breaker: Breaker;
  readonly spend: Spend;
  readonly timeouts: Readonly<Record<keyof TimeoutOptions, AdaptiveTimeout>>;
  readonly writesAsOneSpeaks: boolean;
  readonly counts = {
    opened: 0,
    retried: 0,
    finals: 0,
    timedOut: 0,
    failed: Object.fromEntries(errorClasses.map((one) => [one, 0])) as Record<ErrorClass, number>,
    hindered: { full: 0, broken: 0, 'over its cost': 0 } satisfies Record<Hindrance, number>,
  };
  readonly #options: BackendGuardOptions;
  readonly #hearings = new Set<GuardedHearing>();
  #closed = false;

  constructor(backend: Backend, options: BackendGuardOptions) {
    this.name = backend.name;
    this.kind = backend.kind;
    this.backend = backend;
    this.#options = options;
    this.time = options.time ?? systemTime;
    this.random = options.random ?? Math.random;
    this.retry = { ...defaultRetry, ...options.retry };
    this.retryBudget = options.retryBudget;
    const bounds = { ...defaultTimeouts, ...options.timeouts };
    this.timeouts = {
      ready: new AdaptiveTimeout(bounds.ready),
      text: new AdaptiveTimeout(bounds.text),
      final: new AdaptiveTimeout(bounds.final),
    };
    this.writesAsOneSpeaks = canDo(backend.kind, 'streaming');
    this.spend = new Spend(this.time.now, options.price);
    this.breaker = new Breaker(this.time.now, { ...defaultBreaker, ...options.breaker }, (status) =>
      options.onChange?.(status, backend.name),
    );
  }

  open(input: HearingInput, on: HearingEvents): Hearing {
    const hindrance = this.hindrance();
    const pass = hindrance ? undefined : this.breaker.admit();
    if (hindrance || !pass) return this.#turnAway(hindrance, on);
    this.counts.opened += 1;
    this.retryBudget.began();
    const hearing = new GuardedHearing(this, pass, input, on);
    this.#hearings.add(hearing);
    hearing.begin();
    return hearing;
  }

  ended(hearing: GuardedHearing): void {
    if (this.#hearings.delete(hearing)) this.retryBudget.ended();
  }

  hindrance(): BackendHindrance | undefined {
    const { maxSessions, most } = this.#options;
    if (this.#closed) return { why: 'broken', message: `${this.name} is closed` };
    if (!this.breaker.admits) return this.#broken();
    const { lastHour } = this.spend;
    if (most !== undefined && lastHour >= most) {
      const message = `${this.name} has cost $${lastHour.toFixed(2)} in the last hour of at most $${most}`;
      return { why: 'over its cost', message };
    }
    if (maxSessions !== undefined && this.#hearings.size >= maxSessions)
      return { why: 'full', message: `${this.name} hears as many sessions as it may, ${maxSessions}` };
    return undefined;
  }

  status(): BackendStatus {
    const { maxSessions, most } = this.#options;
    const { ready, text, final } = this.timeouts;
    return {
      breaker: this.breaker.status,
      sessions: this.#hearings.size,
      maxSessions,
      spent: this.spend.lastHour,
      most,
      timeoutsMs: { ready: ready.ms, text: text.ms, final: final.ms },
      counts: structuredClone(this.counts),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const hearing of [...this.#hearings]) hearing.close();
    await this.backend.close();
  }

  #broken(): BackendHindrance {
    const { state, why, untilMs } = this.breaker.status;
    const since = why ? `: ${why.message}` : '';
    if (untilMs === undefined)
      return { why: 'broken', message: `${this.name} is ${state}, one session tries it${since}` };
    const retryAfterMs = Math.max(0, untilMs - this.time.now());
    const when = `tried again in ${Math.ceil(retryAfterMs / 1000)} s`;
    return { why: 'broken', message: `${this.name} is left alone, ${when}${since}`, retryAfterMs };
  }

  #turnAway(hindrance: BackendHindrance | undefined, on: HearingEvents): Hearing {
    const { why, message, retryAfterMs } = hindrance ?? this.#broken();
    this.counts.hindered[why] += 1;
    let told = false;
    const error: BackendError = {
      class: why === 'full' ? 'rate' : why === 'over its cost' ? 'budget' : (this.breaker.status.why?.class ?? 'fault'),
      message,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
    queueMicrotask(() => {
      if (!told) on.onError(error);
      told = true;
    });
    const nothing = (): void => {};
    return {
      push: nothing,
      utteranceOver: nothing,
      next: nothing,
      close: () => {
        told = true;
      },
    };
  }
}
