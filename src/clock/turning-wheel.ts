import { type Clock, type Timers, Wheel } from './wheel.ts';

/** The one wheel of a shard, turned by one timer. */
export type TurningWheel = {
  timers: Timers;
  /** The time that whatever runs now was due at; the clock's when nothing of the wheel runs. */
  dueMs(): number;
  /**
   * Runs what is due by now. For those who hold the thread between two turns: a hundred sockets with something to read would
   * make every frame wait that is due meanwhile.
   */
  catchUp(nowMs: number): void;
  stop(): void;
};

/** Turns a wheel by the real clock until stopped. */
export function startWheel(clock: Clock): TurningWheel {
  const wheel = new Wheel(clock());
  const timer = setInterval(() => wheel.advance(clock()), 1);
  return {
    timers: wheel,
    dueMs: () => wheel.turningMs ?? clock(),
    catchUp: (nowMs) => wheel.advance(nowMs),
    stop: () => clearInterval(timer),
  };
}
