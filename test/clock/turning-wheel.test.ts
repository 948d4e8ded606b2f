import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startWheel } from '../../src/clock/wheel.ts';

describe('the wheel of a shard', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('turns by itself each ms, until it is stopped', () => {
    const fromMs = Date.now();
    const wheel = startWheel(() => Date.now() - fromMs);
    const ran: number[] = [];
    for (const dueMs of [1, 2, 5, 7]) wheel.timers.at(dueMs, () => ran.push(dueMs));
    vi.advanceTimersByTime(5);
    expect(ran).toEqual([1, 2, 5]);
    wheel.stop();
    vi.advanceTimersByTime(100);
    expect(ran).toEqual([1, 2, 5]);
  });

  it('catches up at the word of those who hold the thread, and tells when what it runs was due', () => {
    let nowMs = 0;
    const wheel = startWheel(() => nowMs);
    const ran: [dueMs: number, saidMs: number][] = [];
    for (const dueMs of [3, 4, 9]) wheel.timers.at(dueMs, () => ran.push([dueMs, wheel.dueMs()]));
    nowMs = 8.5;
    expect(wheel.dueMs()).toBe(8.5);
    wheel.catchUp(nowMs);
    expect(ran).toEqual([
      [3, 3],
      [4, 4],
    ]);
    wheel.stop();
  });
});
