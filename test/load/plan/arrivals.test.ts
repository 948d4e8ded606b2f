import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrivalsOf } from '../../../src/load/plan/arrivals.ts';
import { type LoadProfile, levelAt, type ProfilePhase, steadyLoad } from '../../../src/load/plan/load-profile.ts';

/** Phases of [length in s, ramp in s, level], one after the other. */
function phases(...list: [seconds: number, ramp: number, level: number][]): ProfilePhase[] {
  let beginMs = 0;
  return list.map(([seconds, ramp, level], k) => {
    const phase = { name: `s${k}`, beginMs, endMs: beginMs + seconds * 1000, rampMs: ramp * 1000, level };
    beginMs = phase.endMs;
    return phase;
  });
}

function learners(list: ProfilePhase[], session?: [number, number]): LoadProfile {
  const range = session && { leastMs: session[0] * 1000, mostMs: session[1] * 1000 };
  return { by: 'learners', phases: list, endMs: list.at(-1)!.endMs, session: range };
}

function rated(list: ProfilePhase[], process: 'even' | 'poisson'): LoadProfile {
  return { by: 'rate', process, phases: list, endMs: list.at(-1)!.endMs, session: { leastMs: 10_000, mostMs: 20_000 } };
}

function present(stays: ReturnType<typeof arrivalsOf>, atMs: number): number {
  return stays.filter(({ arrivalMs, leaveMs }) => arrivalMs <= atMs && atMs < leaveMs).length;
}

const between = (stays: ReturnType<typeof arrivalsOf>, fromS: number, toS: number) =>
  stays.filter(({ arrivalMs }) => arrivalMs >= fromS * 1000 && arrivalMs < toS * 1000).length;

describe('learners at once', () => {
  it('arrive evenly over the ramp, and stay', () => {
    const stays = arrivalsOf(steadyLoad(300, 3000, 25_000), 1, 320);
    expect(stays).toHaveLength(300);
    for (const third of [0, 1, 2]) expect(Math.abs(between(stays, third, third + 1) - 100)).toBeLessThanOrEqual(1);
    expect(stays.every(({ leaveMs }) => leaveMs === 25_000)).toBe(true);
  });

  it.each([
    ['a spike', learners(phases([20, 0, 10], [10, 0, 30], [20, 0, 10])), [5, 10], [25, 30], [40, 10]],
    ['steps', learners(phases([10, 0, 5], [10, 0, 8], [10, 0, 20])), [5, 5], [15, 8], [25, 20]],
    ['a ramp up and down', learners(phases([20, 20, 40], [20, 20, 0])), [10, 20], [20, 40], [30, 20]],
    ['a class that empties and fills', learners(phases([10, 0, 6], [10, 0, 0], [10, 0, 4])), [5, 6], [15, 0], [25, 4]],
  ])('follow %s', (_, shape, ...points) => {
    const stays = arrivalsOf(shape, 7, 320);
    for (const [seconds = 0, level = 0] of points) {
      expect(Math.abs(present(stays, seconds * 1000) - level), `at ${seconds} s`).toBeLessThanOrEqual(1);
      expect(Math.abs(levelAt(shape, seconds * 1000) - level)).toBeLessThanOrEqual(1);
    }
  });

  it('who leave are replaced in half a second; nobody leaves together, and never are there too many', () => {
    const stays = arrivalsOf(learners(phases([300, 0, 50]), [30, 60]), 3, 320);
    for (let atMs = 1000; atMs < 299_000; atMs += 777) {
      expect(present(stays, atMs)).toBeLessThanOrEqual(50);
      expect(present(stays, atMs)).toBeGreaterThanOrEqual(44);
    }
    expect(stays.length).toBeGreaterThan(300);
    const lengths = stays.filter(({ leaveMs }) => leaveMs < 300_000).map((stay) => stay.leaveMs - stay.arrivalMs);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(60_000);
    const perSecond = Array.from({ length: 299 }, (_, s) => between(stays, s + 1, s + 2));
    expect(Math.max(...perSecond)).toBeLessThanOrEqual(8);
  });
});

describe('arrivals by rate', () => {
  it('come evenly: as many in each second as the rate says, give or take one', () => {
    const stays = arrivalsOf(rated(phases([60, 0, 3]), 'even'), 1, 320);
    for (let s = 0; s < 59; s++) expect(Math.abs(between(stays, s, s + 1) - 3)).toBeLessThanOrEqual(1);
  });

  it('climb with a ramp: the expected number is the area under the rate', () => {
    const stays = arrivalsOf(rated(phases([100, 100, 10]), 'even'), 1, 320);
    expect(Math.abs(between(stays, 0, 50) - 125)).toBeLessThanOrEqual(1);
    expect(Math.abs(between(stays, 50, 99) - 365)).toBeLessThanOrEqual(2);
  });

  it('by a Poisson process vary as one: variance of the counts near their mean', () => {
    const stays = arrivalsOf(rated(phases([2000, 0, 4]), 'poisson'), 5, 320);
    const counts = Array.from({ length: 1990 }, (_, s) => between(stays, s, s + 1));
    const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length;
    const variance = counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / counts.length;
    expect(mean).toBeGreaterThan(3.8);
    expect(mean).toBeLessThan(4.2);
    expect(variance / mean).toBeGreaterThan(0.85);
    expect(variance / mean).toBeLessThan(1.15);
  });

  it('fall to nothing and rise again', () => {
    const stays = arrivalsOf(rated(phases([20, 0, 5], [20, 0, 0], [20, 10, 5]), 'even'), 2, 320);
    expect([between(stays, 0, 20), between(stays, 20, 40)]).toEqual([100, 0]);
    expect(Math.abs(between(stays, 40, 59) - 70)).toBeLessThanOrEqual(1);
  });
});

it('any shape has arrivals in order, on the grid, within the test, and the same again for the same seed', () => {
  const anyPhases = fc
    .array(
      fc.tuple(
        fc.integer({ min: 1, max: 30 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 12 }),
      ),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    .map((list) => phases(...list.map(([s, part, level]): [number, number, number] => [s, s * part, level])));
  fc.assert(
    fc.property(anyPhases, fc.nat(), fc.constantFrom('places', 'churn', 'even', 'poisson'), (list, seed, kind) => {
      const shape =
        kind === 'places' ? learners(list) : kind === 'churn' ? learners(list, [3, 9]) : rated(list, kind as 'even');
      const stays = arrivalsOf(shape, seed, 320);
      let beforeMs = 0;
      for (const { arrivalMs, leaveMs } of stays) {
        expect(arrivalMs % 1).toBe(0);
        expect(arrivalMs).toBeGreaterThanOrEqual(beforeMs);
        expect(leaveMs - arrivalMs).toBeGreaterThanOrEqual(320);
        expect(leaveMs).toBeLessThanOrEqual(shape.endMs + 1e-6);
        beforeMs = arrivalMs;
      }
      expect(arrivalsOf(shape, seed, 320)).toEqual(stays);
    }),
    { numRuns: 150 },
  );
});
