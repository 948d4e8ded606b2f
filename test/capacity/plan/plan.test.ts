import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planCapacity } from '../../../src/capacity/plan/plan.ts';
import { type Comparator, comparators, judgeAssertion } from '../../../src/capacity/scenario/assertion.ts';
import { capacityScenario } from '../../../src/capacity/scenario/scenario.ts';
import { parseDocuments } from '../../../src/config/documents.ts';
import { overrideField } from '../../../src/config/override.ts';

const shipped = readFileSync('capacity/live-class.yaml', 'utf8');
/** The shipped class before pods were kept ready for its spike. */
const liveClass = shipped.replace(/ {2}scaling:.*\n/, '').replace(/ {4}degradedShare:.*\n/, '');

/** The plan of the card's file with fields set to other values; a minute of simulation unless said. */
function plan(fields: Record<string, string | number> = {}, more = '') {
  const short = more.includes('simulation:') ? '' : '  simulation: {duration: 60s}\n';
  let source = liveClass + short + more;
  if (short !== '') source = source.replace('spike: {', 'spike: {at: 59s, ');
  for (const [key, value] of Object.entries(fields)) source = overrideField(source, 'CapacityScenario', key, value);
  const [document] = parseDocuments('f.yaml', source, 'CapacityScenario', capacityScenario);
  return planCapacity('live-class', document!.value.spec, {});
}

describe("the card's class", () => {
  const result = plan({}, '  simulation: {seed: 1}\n');

  it('has the figures of the card, under the names that were promised', () => {
    expect(result.ingress_bytes_per_second).toBe(128_000_000);
    expect(result.concurrency).toEqual({ mean: 8000, p999: 8214 });
    expect(result.pods).toEqual({ minimum: 67, with_headroom: 88, blocking: 69 });
    expect(result.cost.managed_per_minute).toBe(0.02);
    expect(result.cost.self_hosted_per_minute).toBeCloseTo(0.00043, 5);
    expect(result.cost.blended_per_minute).toBeCloseTo(0.0063, 5);
    expect(result.assertions).toEqual([
      { expression: 'costPerAudioMinute <= $0.015/min', value: result.cost.blended_per_minute, verdict: 'pass' },
    ]);
    expect(result.verdict).toBe('pass');
    expect(Object.keys(result)).toEqual([
      'ingress_bytes_per_second',
      'concurrency',
      'pods',
      'cost',
      'simulation',
      'assertions',
      'verdict',
      'details',
    ]);
  });

  it('plays its spike: more than it has pods for, and learners without feedback', () => {
    const { simulation } = result;
    expect(simulation.duration_ms).toBe((5 + 1 + 15 + 1 + 15) * 60_000);
    expect(simulation.peak_streams).toBeGreaterThan(24_000);
    expect(simulation.peak_streams).toBeLessThan(24_500);
    expect(simulation.degraded_share).toBeGreaterThan(0.05);
    expect(simulation.p95_wait_ms).toBeNull();
    expect(simulation.peak_pods).toBeGreaterThan(200);
    const spoken = simulation.self_hosted_minutes + simulation.managed_minutes + simulation.degraded_stream_minutes;
    expect(simulation.degraded_stream_minutes / spoken).toBeCloseTo(simulation.degraded_share, 9);
  });

  it.each([
    ['the codec', /16 kB\/s a stream.*32 kB\/s.*170 MB\/s on the wire/],
    ['the mean', /67 pods for 8,040 streams, and 28 % of moments want more/],
    ['the spike', /needs 200 pods; 88 with headroom carry 44 %/],
    ['the start of a pod', /takes 2 m 00 s to serve.*never served/],
    ['the managed limit', /2,400 streams, but the provider allows 100/],
    ['two figures that disagree', /6,000 audio minutes an hour are 100 streams, the pod is sized for 120/],
    [
      'what pods that are ready before it would do',
      /scaling\.minReplicas: 204, .* 0 % go without .* \$0\.0008\d+, not \$0\.0006\d+/,
    ],
  ])('says what the linear rule hides: %s', (_, note) => expect(result.details.notes.join('\n')).toMatch(note));

  it('is the same again', () => expect(plan({}, '  simulation: {seed: 1}\n')).toEqual(result));
});

it('the shipped class keeps ready what its spike needs: hardly anybody waits, and it passes', () => {
  const [document] = parseDocuments('f.yaml', shipped, 'CapacityScenario', capacityScenario);
  const { assertions, simulation, verdict, details } = planCapacity('live-class', document!.value.spec, {});
  expect(assertions.map(({ expression, verdict: one }) => `${expression}: ${one}`)).toEqual([
    'costPerAudioMinute <= $0.015/min: pass',
    'degradedShare <= 1%: pass',
  ]);
  expect(verdict).toBe('pass');
  expect(simulation.degraded_share).toBeLessThan(0.001);
  expect(simulation.peak_pods).toBeGreaterThanOrEqual(204);
  expect(simulation.cost.per_served_minute).toBeCloseTo(0.00081, 5);
  expect(details.notes.join('\n')).not.toContain('scaling.minReplicas');
});

describe('other scenarios', () => {
  it('$1.20/h, 48 streams, 60 % full: $.000694, break-even at 2.78 % against $.015', () => {
    const { cost, details } = plan({
      'pod.streams': 48,
      'selfHosted.price': '$1.20/h',
      'selfHosted.overhead': '0%',
      'selfHosted.utilisation': '60%',
      'selfHosted.audioMinutesPerHour': 60 * 48,
      'managed.price': '$0.015/min',
    });
    expect(cost.self_hosted_per_minute).toBeCloseTo(0.000694, 6);
    expect(details.break_even_utilisation).toBeCloseTo(0.0278, 4);
  });

  it('a measured curve sizes the pod at its percentile', () => {
    const points = '[{streams: 800, p95_ms: 340}, {streams: 1000, p95_ms: 393}, {streams: 1500, p95_ms: 699}]';
    const source = liveClass.replace('streams: 120,', `profile: {points: ${points}, slo: {value: 400ms}},`);
    const [document] = parseDocuments('f.yaml', source, 'CapacityScenario', capacityScenario);
    const { details, pods } = planCapacity('curve', document!.value.spec, {});
    expect(details.streams_per_pod).toMatchObject({ value: 1000, by_curve: { firstMiss: { streams: 1500 } } });
    expect(pods.minimum).toBe(8);
    document!.value.spec.pod.profile!.slo.value = 300;
    expect(() => planCapacity('curve', document!.value.spec, {})).toThrow(
      'no measured load keeps p95 within 300 ms: the first, 800 streams, already takes 340 ms',
    );
  });

  it.each([
    [60, /throughput peaks at 97 streams$/],
    [150, /throughput peaks at 97 streams: the pod is sized beyond it/],
  ])('a limit of %i ms: the scalability law says whether the pod is past its peak', (limitMs, note) => {
    const measured = [1, 18, 36, 72, 108, 144, 216].map((streams, index) => {
      const throughput = [64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775.0, 1702.2][index];
      return `{streams: ${streams}, p95_ms: ${streams}, throughput: ${throughput}}`;
    });
    const profile = `profile: {points: [${measured.join(', ')}], slo: {value: ${limitMs}ms}},`;
    const source = liveClass.replace('streams: 120,', profile);
    const [document] = parseDocuments('f.yaml', source, 'CapacityScenario', capacityScenario);
    document!.value.spec.simulation.duration = 1000;
    expect(planCapacity('usl', document!.value.spec, {}).details.notes.at(-1)).toMatch(note);
  });

  it('users by minute give the peak and the length of the day', () => {
    const source = liveClass.replace('peakUsers: 20000', 'usersByMinute: u.csv').replace(/ +spike:.*\n/, '');
    const [document] = parseDocuments('f.yaml', source, 'CapacityScenario', capacityScenario);
    const users = [0, 30, 60].map((minute, index) => ({ minute, users: [100, 2000, 100][index]! }));
    const { concurrency, simulation } = planCapacity('day', document!.value.spec, { users });
    expect([concurrency.mean, simulation.duration_ms]).toEqual([800, 3_600_000]);
    expect(simulation.peak_streams).toBeGreaterThan(720);
  });

  it('regions that are sized apart need more pods than one', () => {
    const regions = '  regions: [{name: eu, share: 60%}, {name: us, share: 30%}, {name: ap, share: 10%}]\n';
    expect(plan({}, regions).pods.minimum).toBe(40 + 20 + 7);
    expect(plan({ peakUsers: 20_100 }, regions).pods.minimum).toBe(41 + 21 + 7);
    expect(plan({}, regions).simulation.regions.map(({ name }) => name)).toEqual(['eu', 'us', 'ap']);
  });

  it('only managed: no pods are run, and all minutes are bought', () => {
    const source = liveClass.replace(/ +selfHosted:.*\n/, '').replace(', maxConcurrent: 100', '');
    const [document] = parseDocuments('f.yaml', source, 'CapacityScenario', capacityScenario);
    const { cost, simulation, verdict } = planCapacity('bought', document!.value.spec, {});
    expect(cost).toEqual({ managed_per_minute: 0.02, self_hosted_per_minute: null, blended_per_minute: 0.02 });
    expect(simulation).toMatchObject({ degraded_stream_minutes: 0, peak_pods: 0, self_hosted_share: 0 });
    expect(simulation.cost.per_served_minute).toBeCloseTo(0.02, 9);
    expect(verdict).toBe('fail');
  });

  it('nothing asserted is no pass', () => {
    const source = liveClass.slice(0, liveClass.indexOf('  assert:'));
    const [document] = parseDocuments('f.yaml', source, 'CapacityScenario', capacityScenario);
    expect(planCapacity('open', document!.value.spec, {})).toMatchObject({ assertions: [], verdict: 'none' });
  });

  it('costs are never lower when a price is higher', () => {
    const price = fc.integer({ min: 1, max: 5000 });
    fc.assert(
      fc.property(price, price, (cents, more) => {
        const at = (value: number) =>
          plan({
            'selfHosted.price': `$${value / 100}/h`,
            peakUsers: 100,
            'simulation.duration': '1s',
            'spike.at': '0s',
          });
        const [low, high] = [at(cents), at(cents + more)];
        expect(high.cost.blended_per_minute!).toBeGreaterThan(low.cost.blended_per_minute!);
        expect(high.simulation.cost.total!).toBeGreaterThanOrEqual(low.simulation.cost.total!);
      }),
      { numRuns: 20 },
    );
  });
});

describe('an assertion', () => {
  const line = (comparator: Comparator, bound: number) =>
    ({ expression: 'x', metric: 'peakPods', comparator, bound }) as const;

  it.each([
    ['<=', 5, 'pass'],
    ['<', 5, 'fail'],
    ['>=', 5, 'pass'],
    ['>', 5, 'fail'],
    ['==', 5, 'pass'],
    ['==', 4, 'fail'],
  ] as const)('5 %s %i: %s', (comparator, bound, verdict) =>
    expect(judgeAssertion(line(comparator, bound), 5).verdict).toBe(verdict),
  );

  it.each(comparators)('what never comes fails, even %s', (comparator) => {
    expect(judgeAssertion(line(comparator, 0), Number.POSITIVE_INFINITY)).toMatchObject({
      value: null,
      verdict: 'fail',
    });
  });

  it('judges monotonically: a smaller value never fails where a larger passed', () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(value, value, value, (a, b, bound) => {
        const passes = (comparator: Comparator, x: number) =>
          judgeAssertion(line(comparator, bound), x).verdict === 'pass';
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        for (const comparator of ['<', '<='] as const)
          if (passes(comparator, high)) expect(passes(comparator, low)).toBe(true);
        for (const comparator of ['>', '>='] as const)
          if (passes(comparator, low)) expect(passes(comparator, high)).toBe(true);
      }),
    );
  });
});
