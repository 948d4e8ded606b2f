import { describe, expect, it } from 'vitest';
import { clockOffsetMs } from '../../src/threads/shared-clock.ts';

describe('the offset between two clocks', () => {
  it('is not taken from a reading that another thread interrupted', () => {
    const machine = clocks({ offsetMs: 1000, interruptions: [4, 0, 7] });
    expect(clockOffsetMs(machine.monotonicMs, machine.ownMs)).toBeCloseTo(1000, 2);
  });

  it('is the closest pair of all when every reading is interrupted', () => {
    const interruptions = Array.from({ length: 200 }, (_, i) => (i === 60 ? 0.5 : 5));
    const machine = clocks({ offsetMs: -20, interruptions });
    expect(Math.abs(clockOffsetMs(machine.monotonicMs, machine.ownMs) + 20)).toBeLessThan(0.3);
  });
});

/** Clocks that run on while they are read: the n-th pair of readings is interrupted for so many ms. */
function clocks({ offsetMs, interruptions }: { offsetMs: number; interruptions: readonly number[] }) {
  let nowMs = 0;
  let pairs = 0;
  const readMs = 0.0005;
  return {
    monotonicMs() {
      nowMs += readMs;
      return nowMs + offsetMs;
    },
    ownMs() {
      nowMs += readMs + (interruptions[pairs++] ?? 0);
      return nowMs;
    },
  };
}
