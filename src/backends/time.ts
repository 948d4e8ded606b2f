import type { Clock, Timers } from '../clock/wheel.ts';

/** The one clock of all guards, monotonic, and what waits on it. */
export type Time = Pick<Timers, 'at'> & { readonly now: Clock };

/** What waits on it keeps no program alive. */
export const systemTime: Time = {
  now: () => performance.now(),
  at: (dueMs, callback) => {
    const timer = setTimeout(callback, Math.max(0, dueMs - performance.now()));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
