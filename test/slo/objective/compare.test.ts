import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addClusterSums, emptyClusterSums, sessionSums } from '../../../src/metrics/cluster-sums.ts';
import { type ComparedRun, compareRuns } from '../../../src/slo/objective/compare.ts';
import { oneASession } from '../../../src/slo/objective/compare-shares.ts';
import { createRandom } from '../../../src/stats/random.ts';
import { sumsOfLatencies } from '../../kit/cluster-sums.ts';
import { distributionOf } from '../../kit/samples.ts';

const never = Number.POSITIVE_INFINITY;
const margin = { share: 0.1, leastMs: 5 };

describe('one run against one', () => {
  it.each<[string, ComparedRun, string]>([
    ['another run of the same service', runOf(2, 0), 'same'],
    ['one that is 50 ms later', runOf(3, 50), 'worse'],
    ['one that is 50 ms sooner', runOf(4, -50), 'better'],
    ['one that is 3 ms later, within the margin', runOf(5, 3), 'same'],
    [
      'one of which nothing came',
      { ...runOf(6, 0), distributions: { feedback_latency: distributionOf(never, never, never) } },
      'worse',
    ],
  ])('%s', (_, candidate, verdict) => {
    const [median] = compareRuns({ runs: [runOf(1, 0)] }, { runs: [candidate] }, margin);
    expect(median).toMatchObject({ metric: 'p50(feedback_latency)', verdict });
  });

  it('with two sessions on each side proves nothing', () => {
    const few = (seed: number, shiftMs: number) => ({ ...runOf(seed, shiftMs), sessions: 2, sessionP95Ms: [] });
    const [median] = compareRuns({ runs: [few(1, 0)] }, { runs: [few(2, 50)] }, margin);
    expect(median).toMatchObject({ verdict: 'undecided', upper: never, lower: -never });
  });

  it('finds a tail that grew although the median stayed', () => {
    const slow = { ...runOf(2, 0), sessionP95Ms: Array.from({ length: 20 }, (_, i) => 400 + i) };
    const metrics = compareRuns({ runs: [runOf(1, 0)] }, { runs: [slow] }, margin);
    expect(metrics.map(({ metric, verdict }) => [metric, verdict])).toEqual([
      ['p50(feedback_latency)', 'same'],
      ['p95(feedback_latency) a session', 'worse'],
      // 1,000 of 1,000 on each side do not rule out a fall by more than a thousandth.
      ['availability', 'undecided'],
    ]);
  });

  it.each([
    [10_000, 10_000, 'same'],
    [10_000, 9_995, 'undecided'],
    [10_000, 9_900, 'worse'],
    [9_900, 10_000, 'better'],
  ])('availability of %d and then %d in 10,000 is %s', (was, is, verdict) => {
    const sides = [was, is].map((good) => ({
      runs: [{ ...runOf(1, 0), shares: { availability: oneASession(good, 10_000) } }],
    }));
    expect(compareRuns(sides[0]!, sides[1]!, margin).at(-1)).toMatchObject({ metric: 'availability', verdict });
  });

  it.each([
    [500, 500, 'same'],
    [500, 620, 'undecided'],
    [500, 2000, 'worse'],
    [2000, 500, 'better'],
    [15_000, 500, 'better'],
  ])('%d and then %d words wrong of 10,000 are %s', (was, is, verdict) => {
    const sides = [was, is].map((wrong) => ({
      runs: [{ ...runOf(1, 0), rates: { wer: wordsOf(wrong) } }],
    }));
    const found = compareRuns(sides[0]!, sides[1]!, margin).at(-1)!;
    expect(found).toMatchObject({ metric: 'wer', unit: 'share', verdict });
    expect(found.baseline).toBeCloseTo(was / 10_000, 10);
    expect(found.shift).toBeCloseTo((is - was) / 10_000, 10);
    expect(found.lower <= found.shift && found.shift <= found.upper).toBe(true);
  });

  it('leaves out what a side has no data of', () => {
    const empty = {
      ...runOf(1, 0),
      distributions: { feedback_latency: distributionOf() },
      sessionP95Ms: [],
      shares: { availability: oneASession(0, 0) },
    };
    expect(compareRuns({ runs: [empty] }, { runs: [runOf(1, 0)] }, margin)).toEqual([]);
  });
});

/** A hundred sessions of a hundred words, all with as many of them wrong. */
function wordsOf(wrong: number) {
  const sums = emptyClusterSums();
  for (let session = 0; session < 100; session++) addClusterSums(sums, sessionSums(100, wrong / 100));
  return { good: 10_000 - wrong, total: 10_000, strata: [sums] };
}

describe('what is said of a metric', () => {
  const flat = (ms: number, count = 40): ComparedRun => ({
    sessions: 20,
    distributions: { feedback_latency: distributionOf(...Array<number>(count).fill(ms)) },
    sessionP95Ms: Array<number>(20).fill(ms + 5),
    shares: {},
  });

  it('of one run against one: sessions by Mann-Whitney', () => {
    expect(compareRuns({ runs: [flat(100)] }, { runs: [flat(130)] }, margin)).toEqual([
      {
        metric: 'p50(feedback_latency)',
        of: 'feedback_latency',
        unit: 'ms',
        baseline: 100,
        candidate: 130,
        shift: 30,
        lower: 30,
        upper: 30,
        margin: 10,
        verdict: 'worse',
        method: 'mann-whitney',
      },
      {
        metric: 'p95(feedback_latency) a session',
        of: 'feedback_latency',
        unit: 'ms',
        baseline: 105,
        candidate: 135,
        shift: 30,
        lower: 30,
        upper: 30,
        margin: 10.5,
        verdict: 'worse',
        method: 'mann-whitney',
      },
    ]);
  });

  it('of several against several: runs by Welch, and no tails', () => {
    const was = [flat(90), flat(100), flat(110)];
    const is = [flat(190), flat(200), flat(210)];
    const found = compareRuns({ runs: was }, { runs: is }, margin);
    // t of 4 degrees at .975 is 2.7764; each side's variance is 100.
    const reach = 2.776445 * Math.sqrt(100 / 3 + 100 / 3);
    const welch = {
      of: 'feedback_latency',
      unit: 'ms',
      baseline: 100,
      candidate: 200,
      shift: 100,
      lower: expect.closeTo(100 - reach, 3),
      upper: expect.closeTo(100 + reach, 3),
      margin: 10,
      verdict: 'worse',
      method: 'welch',
    };
    expect(found).toEqual([
      { metric: 'p50(feedback_latency)', ...welch },
      { metric: 'p95(feedback_latency)', ...welch },
    ]);
  });

  it.each([
    ['one run', 1, 2],
    ['one run', 2, 1],
  ])('with %s on a side is of its first alone (%d against %d)', (_, was, is) => {
    const run = { ...flat(100), shares: { availability: oneASession(9, 10) } };
    const [a, b] = [was, is].map((count) => ({ runs: Array.from({ length: count }, () => run) }));
    const methods = compareRuns(a!, b!, margin).map(({ method }) => method);
    expect(methods).toEqual(['mann-whitney', 'mann-whitney', 'shares']);
  });

  it('of a share: the interval of Agresti and Caffo', () => {
    const of = (good: number, total: number) => ({
      runs: [{ ...flat(100), shares: { availability: oneASession(good, total) } }],
    });
    // One event a session, so that the interval is as wide as Student's t of 18 degrees.
    const reach = 2.100922 * Math.sqrt((0.75 * 0.25) / 12 + ((10 / 12) * (2 / 12)) / 12);
    expect(compareRuns(of(8, 10), of(9, 10), margin).at(-1)).toEqual({
      metric: 'availability',
      of: 'availability',
      unit: 'share',
      baseline: 0.8,
      candidate: 0.9,
      shift: expect.closeTo(0.1, 12),
      lower: expect.closeTo(0.1 - reach, 5),
      upper: expect.closeTo(0.1 + reach, 5),
      margin: 0.001,
      verdict: 'undecided',
      method: 'shares',
    });
    expect(compareRuns(of(8, 10), of(0, 0), margin)).toHaveLength(2);
    expect(compareRuns(of(0, 0), of(8, 10), margin)).toHaveLength(2);
  });

  it('of a share of several runs: their sums', () => {
    const of = (...goods: number[]) => ({
      runs: goods.map((good) => ({ ...flat(100), shares: { availability: oneASession(good, 10) } })),
    });
    expect(compareRuns(of(8, 10), of(10, 9), margin).at(-1)).toMatchObject({ baseline: 0.9, candidate: 0.95 });
    // Two runs that agree to the session are not certain: sessions may differ all the same.
    const found = compareRuns(of(10, 10), of(9, 9), margin).at(-1)!;
    expect(found).toMatchObject({ method: 'welch', verdict: 'undecided' });
    expect(found.upper).toBeGreaterThan(0);
  });

  it('counts no more sessions than samples', () => {
    const one = { ...runOf(1, 0), distributions: { feedback_latency: distributionOf(100, 200) } };
    expect(compareRuns({ runs: [runOf(2, 0)] }, { runs: [one] }, margin)[0]).toMatchObject({ verdict: 'undecided' });
  });

  it('weighs values by how often they came', () => {
    const runs = (...values: number[]) => ({ runs: [{ ...flat(0), distributions: { x: distributionOf(...values) } }] });
    // Of 36 differences 8 are 1, 4 are -3, 16 are 8 and 8 are 4: those in the middle are 4.
    const [median] = compareRuns(runs(1, 1, 1, 1, 5, 5), runs(2, 2, 9, 9, 9, 9), margin);
    expect(median).toMatchObject({ metric: 'p50(x)', baseline: 1, candidate: 9, shift: expect.closeTo(4, 2) });
    const [mostly] = compareRuns(runs(1, 5), runs(2, 9, 9, 9, 9, 9, 9, 9), margin);
    expect(mostly).toMatchObject({ baseline: 1, candidate: 9, shift: expect.closeTo(4, 2) });
  });

  it('has no tail where a side has no sessions to tell it, and no interval where they are few', () => {
    const p95s = (...sessionP95Ms: number[]) => ({ runs: [{ ...flat(100), sessionP95Ms }] });
    expect(compareRuns(p95s(), p95s(1, 2), margin)).toHaveLength(1);
    expect(compareRuns(p95s(1, 2), p95s(), margin)).toHaveLength(1);
    expect(compareRuns(p95s(9, 1, 2), p95s(109, 102, 101), margin)[1]).toMatchObject({
      baseline: 2,
      candidate: 102,
      shift: 100,
      lower: -never,
      upper: never,
      verdict: 'undecided',
    });
    expect(compareRuns(p95s(1, 2, 3, 4), p95s(101, 102, 103, 104), margin)[1]).toMatchObject({
      baseline: 2,
      candidate: 102,
      lower: expect.closeTo(97, 9),
      verdict: 'worse',
    });
  });

  it.each<[string, number[], number[], object]>([
    ['never came any more', [100, 100], [never, never], { shift: never, lower: never, upper: never, verdict: 'worse' }],
    ['came at last', [never, never], [100, 100], { shift: -never, lower: -never, upper: -never, verdict: 'better' }],
    ['never came before or after', [never, never], [never, never], { shift: 0, verdict: 'undecided' }],
    [
      'came in fewer runs',
      [100, 100],
      [100, never],
      { shift: never, lower: -never, upper: never, verdict: 'undecided' },
    ],
    [
      'came in more runs',
      [100, never],
      [100, 100],
      { shift: -never, lower: -never, upper: never, verdict: 'undecided' },
    ],
    [
      'came in as many runs',
      [100, never],
      [never, 100],
      { shift: 0, lower: -never, upper: never, verdict: 'undecided' },
    ],
    ['came in one run of none', [never, never], [100, never], { shift: -never, lower: -never, upper: never }],
    ['came in none of one', [100, never], [never, never], { shift: never, lower: -never, upper: never }],
  ])('that %s', (_, was, is, expected) => {
    const of = (values: number[]) => ({ runs: values.map((ms) => flat(ms)) });
    expect(compareRuns(of(was), of(is), margin)[0]).toMatchObject({ method: 'welch', ...expected });
  });
});

describe('several runs against several', () => {
  it('take the spread from run to run into the interval', () => {
    const was = { runs: [runOf(1, 0), runOf(2, 15), runOf(3, 30)] };
    const is = { runs: [runOf(4, 10), runOf(5, 25), runOf(6, 40)] };
    const [median] = compareRuns(was, is, margin);
    expect(median).toMatchObject({ verdict: 'undecided', method: 'welch' });
    expect(median!.lower).toBeLessThan(0);
  });

  it('see a change that is larger than that spread', () => {
    const was = { runs: [runOf(1, 0), runOf(2, 1), runOf(3, 2)] };
    const is = { runs: [runOf(4, 50), runOf(5, 51), runOf(6, 52)] };
    const verdicts = compareRuns(was, is, margin).map(({ metric, verdict }) => `${metric}: ${verdict}`);
    expect(verdicts.slice(0, 2)).toEqual(['p50(feedback_latency): worse', 'p95(feedback_latency): worse']);
  });

  it('are worse when in none of them it came any more', () => {
    const gone = { ...runOf(1, 0), distributions: { feedback_latency: distributionOf(never) } };
    const [median] = compareRuns({ runs: [runOf(1, 0), runOf(2, 0)] }, { runs: [gone, gone] }, margin);
    expect(median).toMatchObject({ verdict: 'worse', shift: never });
  });
});

it('a larger shift is never judged better than a smaller one', () => {
  const order = { better: 0, same: 1, undecided: 1, worse: 2 };
  fc.assert(
    fc.property(fc.integer({ min: -40, max: 100 }), fc.integer({ min: 0, max: 100 }), (shift, more) => {
      const ranks = [shift, shift + more].map((by) => {
        const [median] = compareRuns({ runs: [runOf(1, 0)] }, { runs: [runOf(2, by)] }, margin);
        return order[median!.verdict];
      });
      expect(ranks[0]).toBeLessThanOrEqual(ranks[1]!);
    }),
    { seed: 5, numRuns: 40 },
  );
});

/** Twenty sessions with 50 events each of about 100 ms, later by `shiftMs`. */
function runOf(seed: number, shiftMs: number): ComparedRun {
  const random = createRandom(seed);
  const sessions = Array.from({ length: 20 }, () => {
    const level = 100 + 5 * random.normal();
    return Array.from({ length: 50 }, () => level + 3 * random.normal() + shiftMs);
  });
  return {
    sessions: 20,
    distributions: { feedback_latency: distributionOf(...sessions.flat()) },
    sessionP95Ms: sessions.map((mine) => mine.toSorted((a, b) => a - b)[47]!),
    shares: { availability: { good: 1000, total: 1000, strata: [sumsOfLatencies(sessions, never)] } },
  };
}
