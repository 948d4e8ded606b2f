import type { BreakerOptions, BreakerStatus } from './breaker.ts';
import type { TimeoutBounds } from './measured/adaptive-timeout.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Time } from './time.ts';

export type BackendGuardOptions = {
  /** Dollars a minute of sound. */
  price: number;
  /** Dollars in 60 minutes, at which no further session begins. */
  most?: number | undefined;
  /** Sessions at once. */
  maxSessions?: number | undefined;
  /** Shared by all backends. */
  retryBudget: RetryBudget;
  breaker?: Partial<BreakerOptions> | undefined;
  timeouts?: Partial<TimeoutOptions> | undefined;
  retry?: Partial<RetryOptions> | undefined;
  time?: Time | undefined;
  /** In [0, 1). */
  random?: (() => number) | undefined;
  /** The breaker opened, lets a trial through, or closed. */
  onChange?: ((status: BreakerStatus, backend: string) => void) | undefined;
};

/** Within which the measured timeouts move. */
export type TimeoutOptions = {
  /** From the opening until the backend hears, all tries included. */
  ready: TimeoutBounds;
  /** From sound that is loud enough for speech to the next text. */
  text: TimeoutBounds;
  /** From the end of an utterance to its final. */
  final: TimeoutBounds;
};

export const defaultTimeouts: TimeoutOptions = {
  ready: { floorMs: 1000, ceilingMs: 5000 },
  text: { floorMs: 1500, ceilingMs: 8000 },
  final: { floorMs: 2500, ceilingMs: 8000 },
};

export type RetryOptions = {
  /** Tries after the first. */
  most: number;
  /** The wait before a further try is drawn from 0 to `firstMs`, doubled each time, or `mostMs`. */
  firstMs: number;
  mostMs: number;
};

export const defaultRetry: RetryOptions = { most: 2, firstMs: 100, mostMs: 1000 };
