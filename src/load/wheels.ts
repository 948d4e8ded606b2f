import { type Clock, slotMs, type Timers, Wheel } from './wheel.ts';

/** The wheels of one shard, turned by one timer. */
export type Wheels = {
  /** Where learners wait, on the 5 ms grid. */
  timers: Timers;
  /** Where deliveries of simulated networks wait, to the ms; turned after the learners' slots that are due. */
  fine: Timers;
  /** The time that whatever runs now was due at; the clock's when nothing of a wheel runs. */
  dueMs(): number;
  stop(): void;
};

/** Turns the wheels by the real clock until stopped: each 5 ms, or each ms once `fine` has been used. */
export function startWheels(clock: Clock): Wheels {
  const coarse = new Wheel(clock());
  const fine = new Wheel(clock(), fineMs);
  let step = slotMs;
  let timer: NodeJS.Timeout;
  const turn = () => {
    const now = clock();
    coarse.advance(now);
    if (step === fineMs) fine.advance(now);
    const after = clock();
    timer = setTimeout(turn, Math.max(1, (Math.floor(after / step) + 1) * step - after));
  };
  turn();
  return {
    timers: coarse,
    fine: {
      at(dueMs, callback) {
        step = fineMs;
        return fine.at(dueMs, callback);
      },
      schedule(task, dueMs) {
        step = fineMs;
        fine.schedule(task, dueMs);
      },
    },
    dueMs: () => coarse.turningMs ?? clock(),
    stop: () => clearTimeout(timer),
  };
}

const fineMs = 1;
