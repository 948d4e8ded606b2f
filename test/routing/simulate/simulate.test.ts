import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicySpec, RoutedBackend, RoutingRule } from '../../../src/routing/policy/spec.ts';
import { parseLanguages } from '../../../src/routing/simulate/groups.ts';
import { type RoutedLoad, simulateRouting } from '../../../src/routing/simulate/simulate.ts';

const own: RoutedBackend = { name: 'own', kind: 'local', price: 0.001, fallback: 'vendor' };
const vendor: RoutedBackend = { name: 'vendor', kind: 'deepgram', price: 0.01 };
const toOwn: RoutingRule = { name: 'all', needs: [], to: { own: 1 } };
const hour = 3_600_000;

function policy(backends: readonly RoutedBackend[], rules: readonly RoutingRule[] = [toOwn]): PolicySpec {
  return { backends: [...backends], rules: [...rules] };
}

function steady(wanted: number, capacity: number, more: Partial<RoutedLoad> = {}): RoutedLoad {
  const groups = parseLanguages('en=100%');
  return { moments: [{ atMs: 0, wanted, capacity }], durationMs: hour, groups, sessionMs: 60_000, ...more };
}

describe('a steady load', () => {
  it.each<[what: string, wanted: number, capacity: number, minutes: [own: number, vendor: number, unserved: number]]>([
    ['that fits is served at home', 50, 100, [3000, 0, 0]],
    ['that does not goes to the fallback', 150, 100, [6000, 3000, 0]],
    ['without machines of our own is all managed', 100, 0, [0, 6000, 0]],
  ])('%s', (_, wanted, capacity, [atOwn, atVendor, unserved]) => {
    const { backends, unservedMinutes, dollars, audioMinutes } = simulateRouting(
      policy([own, vendor]),
      steady(wanted, capacity),
    );
    const [first, second] = backends.map((use) => use.audioMinutes);
    // A portion of what starts may take the last place: one in twenty of a step's starts.
    expect(first).toBeGreaterThanOrEqual(atOwn * 0.995);
    expect(first).toBeLessThanOrEqual(Math.max(atOwn * 1.07, 1e-9));
    expect(first! + second! + unservedMinutes).toBeCloseTo(atOwn + atVendor + unserved, 6);
    expect(dollars).toBeCloseTo(first! * 0.001 + second! * 0.01, 9);
    expect(audioMinutes).toBeCloseTo(first! + second!, 9);
  });

  it('that nobody takes is counted as unserved', () => {
    const full: RoutedBackend = { ...vendor, maxSessions: 0 };
    const { unservedMinutes, backends } = simulateRouting(policy([own, full]), steady(10, 0));
    expect(unservedMinutes).toBeCloseTo(600, 6);
    expect(backends[1]!.hinderedMs.full).toBe(hour);
  });

  it('comes no dearer than a backend may be, within the steps that it was begun in', () => {
    const dear: RoutedBackend = { ...vendor, most: 10 };
    const { backends } = simulateRouting(policy([own, dear]), steady(100, 0));
    const { dollars, hinderedMs } = backends[1]!;
    // $1 a minute of 100 sessions: over after ten minutes, and those inside end by themselves.
    expect(dollars).toBeGreaterThanOrEqual(10);
    expect(dollars).toBeLessThan(11.5);
    expect(hinderedMs['over its cost']).toBeGreaterThan(0.8 * hour);
  });

  it('is shared as the rule says', () => {
    const shared = policy([own, vendor], [{ ...toOwn, to: { own: 0.95, vendor: 0.05 } }]);
    const { backends, audioMinutes } = simulateRouting(shared, steady(200, 1000));
    expect(backends[1]!.audioMinutes / audioMinutes).toBeCloseTo(0.05, 6);
  });
});

it('a spike goes to the vendor while the machines are busy, and comes back', () => {
  const spike: RoutingRule = {
    name: 'spike',
    when: { load: { from: 0.8, below: Number.POSITIVE_INFINITY } },
    needs: [],
    to: { vendor: 1 },
  };
  const moments = [
    { atMs: 0, wanted: 50, capacity: 100 },
    { atMs: 600_000, wanted: 150, capacity: 100 },
    { atMs: 1_200_000, wanted: 150, capacity: 300 },
    { atMs: 2_400_000, wanted: 50, capacity: 300 },
  ];
  const { backends, rules } = simulateRouting(policy([own, vendor], [spike, toOwn]), steady(0, 0, { moments }));
  expect(backends[0]!.peakSessions).toBeGreaterThan(140);
  expect(backends[1]!.peakSessions).toBeGreaterThan(65);
  expect(backends[1]!.audioMinutes).toBeGreaterThan(600);
  expect(backends[1]!.audioMinutes).toBeLessThan(900);
  expect(rules.find(({ rule }) => rule === 'spike')!.sessions).toBeGreaterThan(0);
});

it('every minute that is wanted is served or unserved, whatever the load', () => {
  const moment = fc.record({ wanted: fc.integer({ min: 0, max: 500 }), capacity: fc.integer({ min: 0, max: 300 }) });
  fc.assert(
    fc.property(fc.array(moment, { minLength: 1, maxLength: 8 }), fc.integer({ min: 0, max: 400 }), (drawn, most) => {
      const moments = drawn.map((one, at) => ({ atMs: at * 120_000, ...one }));
      const limited = policy([own, { ...vendor, maxSessions: most }]);
      const load = steady(0, 0, {
        moments,
        durationMs: moments.length * 120_000,
        groups: parseLanguages('en=70% es=30%'),
      });
      const { audioMinutes, unservedMinutes, backends } = simulateRouting(limited, load);
      const wanted = moments.reduce((sum, one) => sum + one.wanted * 2, 0);
      expect(audioMinutes + unservedMinutes).toBeCloseTo(wanted, 6);
      for (const { audioMinutes: minutes, peakSessions } of backends) {
        expect(minutes).toBeGreaterThanOrEqual(0);
        expect(peakSessions).toBeGreaterThanOrEqual(0);
      }
    }),
    { seed: 3, numRuns: 100 },
  );
});

it.each([
  ['en=90%', /shares add up to 90%/],
  ['en', /"en" is not a language and its share/],
  ['en=50% en=50%', /"en" is there twice/],
  ['en=0.5', /percentage/],
  ['', /shares add up to 0%/],
])('languages "%s" are refused', (text, message) => {
  expect(() => parseLanguages(text)).toThrow(message);
});
