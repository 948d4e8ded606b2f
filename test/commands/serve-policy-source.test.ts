import { expect, it } from 'vitest';
import { SourceHealth } from '../../src/commands/serve/routing/source-health.ts';

it('a server of flags is as old as its last answer, and as what it said that could be used', () => {
  const health = new SourceHealth(true, 0);
  health.answered(5000);
  expect(health.ageMs(8000)).toBe(3000);
  health.failed('unreachable', 10_000);
  expect(health.ageMs(65_000)).toBe(60_000);
  health.answered(70_000);
  expect(health.ageMs(70_000)).toBe(0);
  health.failed('refused', 70_000);
  health.answered(75_000);
  health.failed('refused', 80_000);
  expect(health.ageMs(90_000)).toBe(20_000);
  health.used();
  health.answered(90_000);
  expect(health.ageMs(90_000)).toBe(0);
  expect(Object.fromEntries(health.failures)).toEqual({ unreachable: 1, refused: 2, unaudited: 0 });
});

it('a file is as it was read until what it says is refused, or cannot be written down', () => {
  const health = new SourceHealth(false, 0);
  expect(health.ageMs(1e9)).toBe(0);
  health.failed('unaudited', 1e9);
  expect(health.ageMs(1e9 + 500)).toBe(500);
  health.used();
  expect(health.ageMs(2e9)).toBe(0);
});
