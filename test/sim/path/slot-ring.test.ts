import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlotRing } from '../../../src/sim/path/slot-ring.ts';

/** Pushes a slot that holds `value`, and as the second number its negative. */
function push(ring: SlotRing, value: number): void {
  const slot = ring.at(ring.push());
  ring.numbers[slot] = value;
  ring.numbers[slot + 1] = -value;
}

function contents(ring: SlotRing): number[] {
  return Array.from({ length: ring.length }, (_, place) => ring.numbers[ring.at(place)]!);
}

describe('a ring of slots', () => {
  it('keeps what is in it in order, however it grows, shrinks and wraps around', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(60)), { maxLength: 20 }), (rounds) => {
        const ring = new SlotRing(2);
        const expected: number[] = [];
        let value = 0;
        for (const [pushes, shifts] of rounds) {
          for (let count = 0; count < pushes; count++) {
            expected.push(++value);
            push(ring, value);
          }
          for (let count = 0; count < shifts && expected.length > 0; count++) {
            expect(ring.numbers[ring.head]).toBe(expected.shift());
            ring.shift();
          }
          expect(contents(ring)).toEqual(expected);
        }
      }),
    );
  });

  it.each([
    [0, 4],
    [5, 6],
    [50, 63],
  ])('that %i slots are pushed into has room for %i', (pushes, room) => {
    const ring = new SlotRing(2);
    for (let value = 0; value < pushes; value++) push(ring, value);
    expect(ring.numbers.length / 2).toBe(room);
  });

  it('gives back the room of a burst that is over', () => {
    const ring = new SlotRing(2);
    for (let value = 0; value < 1000; value++) push(ring, value);
    for (let value = 0; value < 997; value++) ring.shift();
    expect(contents(ring)).toEqual([997, 998, 999]);
    expect(ring.numbers.length / 2).toBeLessThanOrEqual(16);
  });

  it('lets who holds on to the numbers read the slot that was shifted', () => {
    const ring = new SlotRing(2);
    for (let value = 0; value < 100; value++) push(ring, value);
    while (ring.length > 0) {
      const { numbers, head } = ring;
      const first = numbers[head];
      ring.shift();
      expect(numbers[head]).toBe(first);
    }
  });
});
