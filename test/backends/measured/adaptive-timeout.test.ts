import { array, assert, constantFrom, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdaptiveTimeout } from '../../../src/backends/measured/adaptive-timeout.ts';
import { Spend } from '../../../src/backends/measured/spend.ts';
import { RetryBudget } from '../../../src/backends/retry-budget.ts';

describe('an adaptive timeout', () => {
  const of = (answers: readonly number[]): AdaptiveTimeout => {
    const timeout = new AdaptiveTimeout({ floorMs: 100, ceilingMs: 5000 });
    for (const ms of answers) timeout.add(ms);
    return timeout;
  };
  const times = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);

  it.each<[string, readonly number[], number]>([
    ['the ceiling while nothing is known', [], 5000],
    ['the ceiling while little is known', times(19, 200), 5000],
    ['twice the p99', times(20, 200), 400],
    ['twice the p99, which one in a hundred may exceed', [...times(198, 200), 900, 900], 400],
    ['twice the p99 where three in two hundred are slow', [...times(197, 200), 900, 900, 900], 1800],
    ['the floor for the fast', times(50, 10), 100],
    ['the ceiling for the slow', times(50, 4000), 5000],
    ['what the last 500 say', [...times(500, 2000), ...times(500, 200)], 400],
  ])('is %s', (_, answers, expected) => {
    expect(of(answers).ms).toBe(expected);
  });

  it('waits longer for a backend that has become slower, as waits given up count', () => {
    const timeout = of(times(500, 200));
    const waits: number[] = [];
    for (let time = 0; time < 40; time++) {
      waits.push(timeout.ms);
      timeout.gaveUp(timeout.ms);
    }
    expect(waits[0]).toBe(400);
    expect(waits.at(-1)).toBe(5000);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
  });

  it('tells when the ceiling is less than what was measured', () => {
    expect(of(times(30, 2000)).isBeyond).toBe(false);
    expect(of(times(30, 3000)).isBeyond).toBe(true);
  });
});

it('never spends more on retries than a fifth of what is live, or one', () => {
  assert(
    property(array(constantFrom('began', 'ended', 'take', 'release'), { maxLength: 400 }), (steps) => {
      const budget = new RetryBudget(0.2, 1);
      for (const step of steps) {
        if (step === 'began') budget.began();
        else if (step === 'ended' && budget.live > 0) budget.ended();
        else if (step === 'release' && budget.retrying > 0) budget.release();
        else if (step === 'take') {
          const before = budget.retrying;
          const taken = budget.take();
          expect(taken).toBe(before + 1 <= Math.max(1, Math.floor(0.2 * budget.live)));
          expect(budget.retrying).toBe(before + (taken ? 1 : 0));
        }
      }
    }),
    { numRuns: 200, seed: 20 },
  );
});

it('knows what the last hour has cost, and forgets it by the minute', () => {
  let nowMs = 0;
  const spend = new Spend(() => nowMs, 0.01);
  for (let minute = 0; minute < 90; minute++) {
    nowMs = minute * 60_000;
    spend.add(60_000);
    expect(spend.lastHour).toBeCloseTo(0.01 * Math.min(60, minute + 1), 9);
  }
  nowMs += 30 * 60_000;
  expect(spend.lastHour).toBeCloseTo(0.3, 9);
  nowMs += 3 * 3_600_000;
  expect(spend.lastHour).toBe(0);
});
