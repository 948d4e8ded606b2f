import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Due, DueQueue } from '../../src/proxy/due-queue.ts';

describe('the queue of due times', () => {
  it('runs everything in order of time, on one timer', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50_000), { maxLength: 60 }), (times) => {
        const clock = newClock();
        const ran: number[] = [];
        const queue = new DueQueue(clock.nowUs, clock.startTimer);
        for (const atUs of times) queue.watch(once(atUs, () => ran.push(atUs)));
        clock.runAll();
        expect(ran).toEqual([...times].sort((a, b) => a - b));
        expect(clock.mostTimers()).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('runs what came nearer once, at the nearer time', () => {
    const clock = newClock();
    const queue = new DueQueue(clock.nowUs, clock.startTimer);
    const ran: number[] = [];
    const due = once(9000, () => ran.push(clock.nowUs()));
    queue.watch(due);
    due.atUs = 3000;
    queue.watch(due);
    clock.runAll();
    expect(ran).toEqual([3000]);
  });

  it('runs again what has more to do', () => {
    const clock = newClock();
    const queue = new DueQueue(clock.nowUs, clock.startTimer);
    const ran: number[] = [];
    let next = 1000;
    queue.watch({
      nextUs: () => next,
      run: (nowUs) => {
        ran.push(nowUs);
        next = ran.length < 3 ? nowUs + 2000 : Number.POSITIVE_INFINITY;
      },
    });
    clock.runAll();
    expect(ran).toEqual([1000, 3000, 5000]);
  });

  it('leaves out what is forgotten, and everything once stopped', () => {
    const clock = newClock();
    const queue = new DueQueue(clock.nowUs, clock.startTimer);
    const ran: string[] = [];
    const forgotten = once(1000, () => ran.push('forgotten'));
    queue.watch(forgotten);
    queue.watch(once(2000, () => ran.push('kept')));
    queue.forget(forgotten);
    clock.runAll();
    queue.watch(once(4000, () => ran.push('stopped')));
    queue.stop();
    clock.runAll();
    expect(ran).toEqual(['kept']);
  });
});

function once(atUs: number, act: () => void): Due & { atUs: number } {
  return {
    atUs,
    nextUs() {
      return this.atUs;
    },
    run() {
      this.atUs = Number.POSITIVE_INFINITY;
      act();
    },
  };
}

/** A clock that jumps from timer to timer. */
function newClock() {
  let nowUs = 0;
  let most = 0;
  const timers = new Map<symbol, { atUs: number; callback: () => void }>();
  return {
    nowUs: () => nowUs,
    mostTimers: () => most,
    startTimer(afterMs: number, callback: () => void) {
      const key = Symbol('timer');
      timers.set(key, { atUs: nowUs + afterMs * 1000, callback });
      most = Math.max(most, timers.size);
      return () => timers.delete(key);
    },
    runAll() {
      for (;;) {
        const [key, timer] = [...timers].sort(([, a], [, b]) => a.atUs - b.atUs)[0] ?? [];
        if (!key || !timer) return;
        timers.delete(key);
        nowUs = Math.max(nowUs, timer.atUs);
        timer.callback();
      }
    },
  };
}
