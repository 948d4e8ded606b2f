import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ComparedRun, compareRuns } from '../../../src/slo/objective/compare.ts';
import { createRandom } from '../../../src/stats/random.ts';
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
      runs: [{ ...runOf(1, 0), shares: { availability: { good, total: 10_000 } } }],
    }));
    expect(compareRuns(sides[0]!, sides[1]!, margin).at(-1)).toMatchObject({ metric: 'availability', verdict });
  });

  it('leaves out what a side has no data of', () => {
    const empty = {
      ...runOf(1, 0),
      distributions: { feedback_latency: distributionOf() },
      sessionP95Ms: [],
      shares: { availability: { good: 0, total: 0 } },
    };
    expect(compareRuns({ runs: [empty] }, { runs: [runOf(1, 0)] }, margin)).toEqual([]);
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
    shares: { availability: { good: 1000, total: 1000 } },
  };
}
