import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StepQueue } from '../../../src/acoustic/features/step-queue.ts';

describe('StepQueue', () => {
  it('gives back what came, in order, whatever is added and taken when', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 12 }), (rounds) => {
        const queue = new StepQueue(2);
        let [added, taken] = [0, 0];
        for (const [more, fewer] of rounds) {
          for (let i = 0; i < more; i++, added++) {
            queue.add(added, 0);
            queue.buffer.set([added, -added], queue.rowAt(queue.length - 1));
          }
          const count = Math.min(fewer, queue.length);
          if (count > 0) expect(queue.arrivalMs(count - 1)).toBe(taken + count - 1);
          const out = new Float32Array(2 * count + 1);
          queue.take(count, out, 1);
          for (let i = 0; i < count; i++, taken++) expect([out[1 + 2 * i], out[2 + 2 * i]]).toEqual([taken, -taken]);
          expect(queue.length).toBe(added - taken);
        }
      }),
      { seed: 6 },
    );
  });

  it('makes the steps of a burst fall due one stride after the other, and live ones when they come', () => {
    const queue = new StepQueue(1);
    const out = new Float32Array(1);
    for (const atMs of [100, 100, 100, 110, 300]) queue.add(atMs, 20);
    const due: number[] = [];
    while (queue.length > 0) {
      due.push(queue.oldestDeadlineMs);
      queue.take(1, out, 0);
    }
    expect(due).toEqual([100, 120, 140, 160, 300]);
  });
});
