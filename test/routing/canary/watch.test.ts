import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heardOutcome, type UtteranceOutcome } from '../../../src/routing/canary/heard.ts';
import { type CanarySide, CanaryWatch } from '../../../src/routing/canary/watch.ts';
import { type CanarySpec, canarySpec } from '../../../src/routing/policy/canary.ts';
import { chanceToTrip } from '../../../src/slo/service-level/burn-rule.ts';
import { createBinomialSampler } from '../../../src/stats/binomial-sampler.ts';
import { createRandom } from '../../../src/stats/random.ts';

const minuteMs = 60_000;

function canaryOf(over: object = {}, rollback: object = {}): CanarySpec {
  const base = { name: 'c', from: 'own', to: 'next', share: '5%', rollback: { mode: 'window', ...rollback } };
  return canarySpec.parse({ ...base, ...over });
}

/** Sixty utterances a minute on the canary's side, twelve hundred beside it, with these bad shares. */
function played(canary: CanarySpec, minutes: number, bad: Record<CanarySide, (minute: number) => number>) {
  const watch = new CanaryWatch(canary, 0);
  const verdicts = [];
  for (let minute = 0; minute < minutes; minute++) {
    const nowMs = minute * minuteMs + 30_000;
    watch.count('canary', { bad: bad.canary(minute), total: 60 }, nowMs);
    watch.count('baseline', { bad: bad.baseline(minute), total: 1200 }, nowMs);
    verdicts.push(watch.look((minute + 1) * minuteMs).verdict);
  }
  return { watch, verdicts };
}

describe('the watch over a canary', () => {
  it.each(['window', 'consecutive'] as const)('%s: a burn of 5 is rolled back when ten minutes have passed', (mode) => {
    const { watch, verdicts } = played(canaryOf({}, { mode }), 10, { canary: () => 3, baseline: () => 6 });
    expect(verdicts).toEqual([...Array(9).fill('undecided'), 'rollback']);
    const { message, figures } = watch.look(10 * minuteMs);
    expect(message).toContain('the canary burned above 2');
    expect(figures).toMatchObject({ canaryEvents: 600, canaryBad: 30, baselineEvents: 12_000, baselineBad: 60 });
    expect(figures.canaryBurn).toBeCloseTo(5);
    expect(figures.baselineBurn).toBeCloseTo(0.5);
  });

  it('the two readings differ: one good minute of ten keeps the canary in the stricter', () => {
    const bad = { canary: (minute: number) => (minute === 5 ? 0 : 4), baseline: () => 6 };
    expect(played(canaryOf({}, { mode: 'window' }), 10, bad).verdicts.at(-1)).toBe('rollback');
    expect(played(canaryOf({}, { mode: 'consecutive' }), 10, bad).verdicts.at(-1)).toBe('well');
  });

  it('a canary that does no worse than its promise is well', () => {
    expect(played(canaryOf(), 30, { canary: () => 1, baseline: () => 12 }).verdicts.at(-1)).toBe('well');
  });

  it('what both sides suffer is not of the canary', () => {
    const { watch, verdicts } = played(canaryOf(), 20, { canary: () => 6, baseline: () => 120 });
    expect(verdicts).not.toContain('rollback');
    expect(watch.look(20 * minuteMs).message).toContain('not this release alone');
  });

  it.each<[what: string, canary: number, baseline: number, message: RegExp]>([
    ['no data', 0, 0, /the canary has no utterances: no data never promotes/],
    ['too little on its side', 99, 20_000, /the canary has 99 utterances; needs 1 more/],
    ['too little beside it', 20_000, 99, /the baseline has 99 utterances; needs 1 more/],
  ])('%s decides nothing, however bad', (_, canary, baseline, message) => {
    const watch = new CanaryWatch(canaryOf(), 0);
    watch.count('canary', { bad: canary, total: canary }, 1);
    watch.count('baseline', { bad: 0, total: baseline }, 1);
    expect(watch.look(10 * minuteMs)).toMatchObject({ verdict: 'undecided', message: expect.stringMatching(message) });
  });

  it('forgets what is older than the window, also after a day of silence', () => {
    const watch = new CanaryWatch(canaryOf(), 0);
    watch.count('canary', { bad: 500, total: 500 }, 1);
    watch.count('baseline', { bad: 0, total: 5000 }, 1);
    expect(watch.look(10 * minuteMs).verdict).toBe('rollback');
    expect(watch.look(11 * minuteMs).verdict).toBe('undecided');
    expect(watch.look(24 * 60 * minuteMs).figures).toMatchObject({ canaryEvents: 0, baselineEvents: 0 });
  });

  it('does not judge the interval that is running', () => {
    const watch = new CanaryWatch(canaryOf(), 0);
    watch.count('canary', { bad: 500, total: 500 }, 10 * minuteMs + 1);
    expect(watch.look(10 * minuteMs + 2).figures).toMatchObject({ canaryEvents: 0 });
  });

  it('counts the same whoever brings the counts, in whatever order within an interval', () => {
    const event = fc.record({
      side: fc.constantFrom<CanarySide>('canary', 'baseline'),
      bad: fc.boolean(),
      minute: fc.integer({ min: 0, max: 25 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), fc.integer({ min: 1, max: 30 }), (events, lookMinute) => {
        const inOrder = events.toSorted((a, b) => a.minute - b.minute);
        const one = new CanaryWatch(canaryOf({ minimum: 1 }), 0);
        for (const { side, bad, minute } of inOrder)
          one.count(side, { bad: Number(bad), total: 1 }, minute * minuteMs + 1);
        const other = new CanaryWatch(canaryOf({ minimum: 1 }), 0);
        for (let minute = 0; minute <= 25; minute++)
          for (const side of ['baseline', 'canary'] as const) {
            const mine = events.filter((event) => event.minute === minute && event.side === side);
            const bad = mine.filter((event) => event.bad).length;
            other.count(side, { bad, total: mine.length }, minute * minuteMs + 59_999);
          }
        const at = Math.max(lookMinute, 26) * minuteMs;
        expect(one.look(at)).toEqual(other.look(at));
      }),
    );
  });

  it('never rolls back without enough of both sides, nor a canary of which nothing was bad', () => {
    const side = fc.record({ bad: fc.integer({ min: 0, max: 40 }), total: fc.integer({ min: 0, max: 40 }) });
    fc.assert(
      fc.property(fc.array(fc.tuple(side, side), { minLength: 1, maxLength: 40 }), fc.boolean(), (minutes, mode) => {
        const watch = new CanaryWatch(canaryOf({}, { mode: mode ? 'window' : 'consecutive' }), 0);
        for (const [minute, [canary, baseline]] of minutes.entries()) {
          const count = ({ bad, total }: { bad: number; total: number }) => ({ bad: Math.min(bad, total), total });
          watch.count('canary', count(canary), minute * minuteMs);
          watch.count('baseline', count(baseline), minute * minuteMs);
          const { verdict, figures } = watch.look((minute + 1) * minuteMs);
          if (verdict !== 'rollback') continue;
          expect(figures.canaryEvents).toBeGreaterThanOrEqual(100);
          expect(figures.baselineEvents).toBeGreaterThanOrEqual(100);
          expect(figures.canaryBad! / figures.canaryEvents!).toBeGreaterThan(0.02);
        }
      }),
    );
  });

  it.each<[mode: 'window' | 'consecutive', burn: number]>([
    ['window', 1],
    ['window', 0.5],
    ['consecutive', 1],
  ])('%s at a burn of %f is rolled back in an hour no more often than the page on canaries says', (mode, burn) => {
    const hours = 300;
    const random = createRandom(17);
    const drawCanary = createBinomialSampler(random, 60, 0.01 * burn);
    const drawBaseline = createBinomialSampler(random, 1200, 0.01 * burn);
    let rolledBack = 0;
    for (let hour = 0; hour < hours; hour++) {
      const { verdicts } = played(canaryOf({}, { mode }), 60, { canary: drawCanary, baseline: drawBaseline });
      if (verdicts.includes('rollback')) rolledBack += 1;
    }
    const { value } = chanceToTrip({ target: 0.99, burn: 2, mode, intervals: 10 }, 60, 0.01 * burn, 60);
    const errors = 4 * Math.sqrt((Math.max(value, 1 / hours) * (1 - value)) / hours);
    expect(rolledBack / hours).toBeLessThanOrEqual(value + errors);
    expect(rolledBack / hours).toBeGreaterThanOrEqual(value - errors);
  });
});

type Edits = { wrong: number; words: number } | undefined;

it.each<[what: string, finalAfterMs: number, edits: Edits, outcome: UtteranceOutcome]>([
  ['in time and right', 1999, { wrong: 1, words: 10 }, 'good'],
  ['just in time', 2000, undefined, 'good'],
  ['late', 2001, { wrong: 0, words: 10 }, 'late'],
  ['late and wrong', 2001, { wrong: 9, words: 10 }, 'late'],
  ['never', Number.POSITIVE_INFINITY, undefined, 'missing'],
  ['wrong in half of its words', 100, { wrong: 5, words: 10 }, 'good'],
  ['wrong in most of its words', 100, { wrong: 6, words: 10 }, 'wrong'],
  ['of no text', 100, { wrong: 6, words: 0 }, 'good'],
])('an utterance that is %s', (_, finalAfterMs, edits, outcome) => {
  const canary = canaryOf({ bad: { finalAfter: '2s', werAbove: '50%' } });
  expect(heardOutcome(canary, { finalAfterMs, edits })).toBe(outcome);
  expect(heardOutcome(canary, { finalAfterMs, edits, isElsewhere: true })).toBe('elsewhere');
  if (edits && finalAfterMs <= 2000) expect(heardOutcome(canaryOf(), { finalAfterMs, edits })).toBe('good');
});
