import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leversFor, togetherLever } from '../../src/budget/levers.ts';
import { percentileMs, replay } from '../../src/budget/sample/replay.ts';
import { sampleOf } from '../../src/budget/sample/sample.ts';
import { answerWhatIf } from '../../src/budget/what-if.ts';
import { cardModel, drawTraces } from '../kit/gaussian.ts';

const traces = fc
  .array(fc.tuple(time(), time(), time()), { minLength: 1, maxLength: 200 })
  .map((rows) => sampleOf(['a', 'b', 'c'].map((name, c) => ({ name, ms: Float64Array.from(rows, (row) => row[c]!) }))));
const quantile = fc.double({ min: 0.01, max: 0.999, noNaN: true });

describe('a replayed change', () => {
  it.each([
    ['a shift', { stage: 'a', kind: 'shift', byMs: 5 }, [15, 25]],
    ['a shift down', { stage: 'a', kind: 'shift', byMs: -5 }, [5, 15]],
    ['a scale', { stage: 'a', kind: 'scale', factor: 2 }, [20, 40]],
    ['a cap', { stage: 'a', kind: 'cap', atMs: 12 }, [10, 12]],
    ['a removal', { stage: 'a', kind: 'remove' }, [0, 0]],
    ['another stage’s change', { stage: 'b', kind: 'remove' }, [10, 20]],
  ] as const)('%s', (_name, change, expected) => {
    const sample = sampleOf([
      { name: 'a', ms: Float64Array.of(10, 20) },
      { name: 'b', ms: Float64Array.of(1, 2) },
    ]);
    const changed = replay(sample, [change]);
    expect([...changed.stages[0]!.ms]).toEqual(expected);
    expect([...changed.totals]).toEqual([0, 1].map((i) => changed.stages[0]!.ms[i]! + changed.stages[1]!.ms[i]!));
  });

  it('a shift moves every percentile by exactly itself', () =>
    fc.assert(
      fc.property(traces, quantile, fc.integer({ min: -50, max: 500 }), (sample, p, byMs) => {
        const moved = percentileMs(replay(sample, [{ stage: 'b', kind: 'shift', byMs }]), p) - percentileMs(sample, p);
        expect(moved).toBeCloseTo(byMs, 9);
      }),
    ));

  it('a scale of the worked case moves p95 by more than first order says', () => {
    const sample = drawTraces(cardModel(0), 60_000, 3);
    const answer = answerWhatIf(
      sample,
      { name: 'x', changes: [{ stage: 'asr', kind: 'scale', factor: 270 / 170 }] },
      { p: 0.95, valueMs: 500, confidence: 0.95 },
    );
    expect(Math.abs(answer.deltaMs - 144.7177)).toBeLessThan(1.5);
  });
});

describe('a lever', () => {
  it('brings the percentile to the target exactly, or removing the stage is not enough', () =>
    fc.assert(
      fc.property(traces, quantile, fc.double({ min: 0.1, max: 1, noNaN: true }), (sample, p, share) => {
        const before = percentileMs(sample, p);
        const target = before * share;
        for (const lever of leversFor(sample, p, target)) {
          const at = (factor: number) =>
            percentileMs(replay(sample, [{ stage: lever.stage, kind: 'scale', factor }]), p);
          if (lever.possible) {
            expect(at(lever.factor!)).toBeLessThanOrEqual(target + 1e-6);
            if (lever.factor! < 0.999) expect(at(lever.factor! + 0.001)).toBeGreaterThan(target - 1e-6);
          } else {
            expect(at(0)).toBeGreaterThan(target);
            expect(lever.savesMs).toBeCloseTo(before - at(0), 9);
          }
        }
      }),
    ));

  it.each([
    ['counts traces without the stage by their totals, at the target too', 30, true, 0.5, 10],
    ['is one factor for as many traces as the percentile takes', 25, false, undefined, 10],
    ['is none where the percentile keeps the target already', 45, true, 1, -5],
  ])('%s', (_, targetMs, possible, factor, savesMs) => {
    const sample = sampleOf([
      { name: 'a', ms: Float64Array.of(20, 0, 10, 0) },
      { name: 'b', ms: Float64Array.of(20, 30, 30, 10) },
    ]);
    const totals = [40, 30, 40, 10];
    expect(leversFor(sample, 0.75, targetMs)[0]).toEqual({ stage: 'a', possible, factor, savesMs });
    expect(togetherLever(sample, 0.75, targetMs, ['b'])).toEqual({ stage: 'all others', possible, factor, savesMs });
    // The traces stay in the order in which others read them.
    expect([...sample.totals]).toEqual(totals);
  });

  it('of all others leaves the changed stage alone', () => {
    const sample = sampleOf([
      { name: 'a', ms: Float64Array.of(100) },
      { name: 'b', ms: Float64Array.of(60) },
      { name: 'c', ms: Float64Array.of(40) },
    ]);
    expect(togetherLever(sample, 0.95, 150, ['a'])).toEqual({
      stage: 'all others',
      possible: true,
      factor: 0.5,
      savesMs: 50,
    });
    expect(togetherLever(sample, 0.95, 90, ['a'])).toMatchObject({ possible: false, factor: undefined, savesMs: 100 });
  });
});

describe('an answer', () => {
  const sample = drawTraces(cardModel(0), 2000, 1);
  const slower = { name: 'slower', changes: [{ stage: 'asr', kind: 'shift', byMs: 100 }] } as const;

  it('repays down to the objective when that is broken', () => {
    const answer = answerWhatIf(sample, slower, { p: 0.95, valueMs: 500, confidence: 0.95 });
    expect(answer.deltaMs).toBeCloseTo(100, 9);
    expect(answer.targetMs).toBe(500);
    expect(answer.overshootMs).toBeCloseTo(answer.valueMs - 500, 9);
    expect(answer.levers.map(({ stage, possible }) => `${stage} ${possible}`)).toEqual([
      'network true',
      'edge false',
      'features false',
      'asr true',
      'scoring true',
      'delivery true',
    ]);
  });

  it('spends a reserve first where there is one, and asks stages only for what is left', () => {
    const given = { p: 0.95, valueMs: 500, confidence: 0.95 };
    expect(answerWhatIf(sample, slower, given).afterReserve).toEqual([]);
    const withReserve = (ms: number) =>
      sampleOf([...sample.stages, { name: 'reserve', ms: new Float64Array(sample.n).fill(ms) }]);
    const { levers, afterReserve } = answerWhatIf(withReserve(10), slower, given);
    expect(levers.map(({ stage }) => stage)).toContain('reserve');
    expect(afterReserve.map(({ stage }) => stage)).toEqual(sample.stages.map(({ name }) => name));
    expect(afterReserve[3]!.savesMs).toBeCloseTo(levers[3]!.savesMs - 10, 9);
    // A reserve that repays it all leaves nothing to ask for.
    const roomy = { ...given, valueMs: 900 };
    expect(answerWhatIf(withReserve(300), slower, roomy).afterReserve).toEqual([]);
  });

  it('repays the change itself when the objective still holds', () => {
    const answer = answerWhatIf(sample, slower, { p: 0.95, valueMs: 900, confidence: 0.95 });
    expect(answer.targetMs).toBeCloseTo(answer.valueMs - 100, 9);
    expect(answer.levers).toHaveLength(6);
  });

  it('owes nothing when the change saves time', () => {
    const faster = { name: 'faster', changes: [{ stage: 'asr', kind: 'remove' }] } as const;
    expect(answerWhatIf(sample, faster, { p: 0.95, valueMs: 500, confidence: 0.95 })).toMatchObject({
      levers: [],
      overshootMs: 0,
    });
  });

  it('tells in how many traces it takes more than there is', () => {
    const promise = { name: 'promise', changes: [{ stage: 'edge', kind: 'shift', byMs: -12 }] } as const;
    const { belowZero } = answerWhatIf(sample, promise, { p: 0.95, valueMs: 500, confidence: 0.95 });
    expect(belowZero / 2000).toBeCloseTo(0.5, 1);
  });

  it.each([
    ['a removal, which leaves nothing', { kind: 'remove' }, 0],
    ['a shift by all there is', { kind: 'shift', byMs: -4 }, 1],
    ['a shift by more than there is', { kind: 'shift', byMs: -5 }, 2],
  ] as const)('tells of no trace with just no time left: %s', (_, change, below) => {
    const sample = sampleOf([
      { name: 'asr', ms: Float64Array.of(0, 4, 9) },
      { name: 'queue', ms: Float64Array.of(-1, 1, 1) },
    ]);
    const promise = { name: 'x', changes: [{ stage: 'asr', ...change }] };
    expect(answerWhatIf(sample, promise, { p: 0.95, valueMs: 500, confidence: 0.95 }).belowZero).toBe(below);
  });

  it('does not promise too much of a stage that its normal distribution puts below 0 anyway', () => {
    const sample = sampleOf([{ name: 'asr', ms: Float64Array.of(-3, 5, 9) }]);
    const slower = { name: 'x', changes: [{ stage: 'asr', kind: 'scale' as const, factor: 1.5 }] };
    expect(answerWhatIf(sample, slower, { p: 0.95, valueMs: 500, confidence: 0.95 }).belowZero).toBe(0);
  });
});

function time() {
  return fc.double({ min: 0, max: 1000, noNaN: true });
}
