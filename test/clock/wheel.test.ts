import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Wheel } from '../../src/clock/wheel.ts';

describe('the timer wheel', () => {
  it('calls back at the first tick at or after the due time, in order of slots', () => {
    const wheel = new Wheel(0);
    const called: string[] = [];
    wheel.at(11.2, () => called.push('11.2'));
    wheel.at(5, () => called.push('5'));
    wheel.at(10, () => called.push('10'));
    wheel.advance(4.9);
    expect(called).toEqual([]);
    wheel.advance(10);
    expect(called).toEqual(['5', '10']);
    wheel.advance(11.9);
    expect(called).toHaveLength(2);
    wheel.advance(12);
    expect(called).toEqual(['5', '10', '11.2']);
  });

  it('after a stall catches up with everything that callbacks add in the past', () => {
    const wheel = new Wheel(0);
    const frames: number[] = [];
    const send = (dueMs: number) =>
      wheel.at(dueMs, () => {
        frames.push(dueMs);
        send(dueMs + 20);
      });
    send(20);
    wheel.advance(1000);
    expect(frames).toHaveLength(50);
    wheel.advance(1020);
    expect(frames).toHaveLength(51);
  });

  it('knows while a task runs when it was due, and turns no further at the word of one', () => {
    const wheel = new Wheel(0);
    const seen: (number | undefined)[] = [];
    wheel.at(3, () => {
      wheel.advance(10);
      seen.push(wheel.turningMs);
    });
    wheel.at(4, () => seen.push(wheel.turningMs));
    wheel.advance(4);
    expect(seen).toEqual([3, 4]);
    expect(wheel.turningMs).toBeUndefined();
  });

  it('forgets what was cancelled', () => {
    const wheel = new Wheel(0);
    const cancel = wheel.at(20, () => expect.unreachable());
    cancel();
    wheel.advance(100);
  });

  it('meets every due time to the slot, however far away and however it is advanced', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 30_000, noNaN: true }), { maxLength: 40 }),
        fc.array(fc.double({ min: 0.1, max: 4000, noNaN: true }), { minLength: 8, maxLength: 40 }),
        (dues, steps) => {
          const wheel = new Wheel(0);
          let now = 0;
          const calledAt = new Map<number, number>();
          dues.forEach((due, i) => void wheel.at(due, () => calledAt.set(i, now)));
          for (const step of [...steps, 40_000]) {
            const before = now;
            now += step;
            wheel.advance(now);
            dues.forEach((due, i) => {
              const at = calledAt.get(i);
              if (at === undefined) expect(Math.ceil(due)).toBeGreaterThan(now - 1e-5);
              else if (at === now) expect(Math.ceil(due)).toBeGreaterThan(before - 1);
            });
          }
          expect(calledAt.size).toBe(dues.length);
        },
      ),
    );
  });
});
