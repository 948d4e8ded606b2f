import { expect, it } from 'vitest';
import { proofSizes } from '../../../src/slo/service-level/proof-sizes.ts';

it.each([
  [0.9, [29, 46, 167], 0.005, 23_886],
  [0.95, [59, 93, 336], 0.0025, 50_425],
  [0.97, [99, 157, 562], 0.0015, 85_811],
  [0.99, [299, 473, 1693], 0.0005, 262_742],
])('a target of %d takes %j events with 0, 1, 10 misses, and +-%d takes %d', (target, events, margin, measured) => {
  const sizes = proofSizes(target);
  expect(sizes.toProve.map((one) => one.events)).toEqual(events);
  expect(sizes.toMeasure).toEqual({ margin, events: measured });
});
