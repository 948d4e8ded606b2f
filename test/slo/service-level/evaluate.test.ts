import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  evaluateRun,
  evaluateWindows,
  evaluationWindowsMs,
  overallVerdict,
} from '../../../src/slo/service-level/evaluate.ts';
import { explainAlert, explainEvaluation } from '../../../src/slo/service-level/explain.ts';
import { levelOf, oneObjective } from '../../kit/service-level-kit.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const level = levelOf(oneObjective('  minimumEvents: 100'));
const objective = level.objectives[0]!;

/** The same share of bad events in every window, of a hundred events a minute. */
function steady(badShare: (windowMs: number) => number) {
  return evaluationWindowsMs(level).map((windowMs) => {
    const total = (windowMs / minute) * 100;
    return { windowMs, total, bad: total * badShare(windowMs) };
  });
}

describe('where an objective stands', () => {
  it('asks for each window of its alerts and for the period', () => {
    expect(evaluationWindowsMs(level).map((ms) => ms / minute)).toEqual([5, 30, 60, 120, 360, 1440, 4320, 43_200]);
  });

  it('passes within the budget, and says what is left and that it lasts', () => {
    const now = evaluateWindows(
      level,
      objective,
      steady(() => 0.0004),
    );
    expect(now).toMatchObject({
      verdict: 'pass',
      budgetLeft: expect.closeTo(0.6, 9),
      exhaustedInMs: Infinity,
      firing: [],
    });
    expect(explainEvaluation(level, now)).toBe(
      'availability of speechfb: 1,728 of 4,320,000 events (0.04 %) in 30 d failed; the promise is at most 0.1 %, so the budget ' +
        'burns at 0.4 times the rate it can bear. 60 % of the budget of 30 d is left. It will last.',
    );
  });

  it('fails while a page fires, although the budget is not spent yet', () => {
    const now = evaluateWindows(
      level,
      objective,
      steady((ms) => (ms <= hour ? 0.02 : ms === 30 * day ? 0.0005 : 0.001)),
    );
    expect(now).toMatchObject({ verdict: 'fail', reason: 'a page fires', budgetLeft: expect.closeTo(0.5, 9) });
    expect(now.firing.map((alert) => alert.burn)).toEqual([14.4]);
    expect(now.exhaustedInMs).toBeCloseTo((0.5 * 30 * day) / 20, 0);
    expect(explainEvaluation(level, now)).toContain(
      'At the present pace it is gone in 18 h. The page for burn above 14.4',
    );
  });

  it('fails when the budget is spent, alerts or not', () => {
    const now = evaluateWindows(
      level,
      objective,
      steady((ms) => (ms === 30 * day ? 0.002 : 0)),
    );
    expect(now).toMatchObject({ verdict: 'fail', reason: 'the budget of the period is spent', exhaustedInMs: 0 });
    expect(explainEvaluation(level, now)).toContain('The budget of 30 d is spent 2 times over.');
  });

  it('shows its windows from the shortest to the longest, whatever order they were asked in', () => {
    const found = evaluateWindows(level, objective, steady(() => 0.0004).reverse());
    expect(found.windows.map(({ windowMs }) => windowMs)).toEqual(evaluationWindowsMs(level));
    expect(found.windows.every(({ burn }) => Math.abs(burn! - 0.4) < 1e-9)).toBe(true);
  });

  it.each([
    ['a ticket fires', 0.0035, 0.0005, 'pass', 'within the budget, a ticket fires'],
    ['nothing fires', 0.0005, 0.0005, 'pass', 'within the budget'],
    ['just all of it is spent', 0.0005, 0.001, 'pass', 'within the budget'],
  ] as const)('passes when %s', (_, short, period, verdict, reason) => {
    const now = evaluateWindows(
      level,
      objective,
      steady((ms) => (ms === 30 * day ? period : short)),
    );
    expect(now).toMatchObject({ verdict, reason });
  });

  it('fires an alert when both of its windows burn, not one alone, and above its burn, not at it', () => {
    const firing = (shortBurn: number, longBurn: number) =>
      evaluateWindows(
        level,
        objective,
        steady((ms) => (ms === 5 * minute ? shortBurn : ms === hour ? longBurn : 0) * 0.001),
      ).firing;
    expect(firing(15, 15).map(({ burn }) => burn)).toEqual([14.4]);
    expect(firing(15, 14)).toEqual([]);
    expect(firing(14, 15)).toEqual([]);
    expect(firing(0, 15)).toEqual([]);
  });

  it.each([
    ['at its burn in both windows', 0.75, 0.75, 0.5, []],
    ['at its burn in the long window', 0.75, 0.875, 0.5, []],
    ['at its burn in the short window', 0.875, 0.75, 0.5, []],
    ['above its burn in both', 0.875, 0.875, 0.5, [1.5]],
  ])('with a half that may fail, exact in binary, %s', (_, long, short, period, burns) => {
    const half = { ...level, alerts: [{ severity: 'ticket' as const, burn: 1.5, longMs: hour, tenthsMs: 5 * minute }] };
    const count = (windowMs: number, share: number) => ({ windowMs, total: 1000, bad: 1000 * share });
    const counts = [count(hour, long), count(5 * minute, short), count(level.periodMs, period)];
    const now = evaluateWindows(half, { ...objective, target: 0.5 }, counts);
    expect(now.firing.map(({ burn }) => burn)).toEqual(burns);
    // Just all of the budget is spent, and no more.
    expect(now).toMatchObject({ verdict: 'pass', budgetLeft: 0, exhaustedInMs: 0 });
  });

  it('fires on as many events as the minimum in its long window, whatever the short one holds', () => {
    const hundred = (total: number) =>
      evaluateWindows(level, objective, [
        { windowMs: 5 * minute, bad: 1, total: 1 },
        { windowMs: hour, bad: total, total },
        { windowMs: 30 * day, bad: 0, total: 1e6 },
      ]);
    expect(hundred(100)).toMatchObject({ verdict: 'fail', reason: 'a page fires' });
    expect(hundred(99).firing).toEqual([]);
  });

  it('knows no pace without events in the shortest long window, and no budget without a period', () => {
    const month = { windowMs: 30 * day, bad: 1, total: 1e6 };
    const quiet = evaluateWindows(level, objective, [{ windowMs: hour, bad: 0, total: 0 }, month]);
    expect(quiet).toMatchObject({ verdict: 'pass', budgetLeft: expect.closeTo(0.999, 6) });
    expect(quiet.exhaustedInMs).toBeUndefined();
    const young = evaluateWindows(level, objective, [{ windowMs: hour, bad: 0, total: 10 }]);
    expect(young).toMatchObject({ verdict: 'invalid', reason: 'no events in the period' });
    expect([young.budgetLeft, young.exhaustedInMs]).toEqual([undefined, undefined]);
  });

  it('fires nothing on fewer events than the minimum', () => {
    const few = evaluationWindowsMs(level).map((windowMs) => ({
      windowMs,
      bad: windowMs === 30 * day ? 0 : 3,
      total: 90,
    }));
    expect(evaluateWindows(level, objective, few)).toMatchObject({ verdict: 'pass', firing: [] });
  });

  it('is invalid without events: silence is not health', () => {
    const nothing = evaluateWindows(
      level,
      objective,
      evaluationWindowsMs(level).map((windowMs) => ({ windowMs, bad: 0, total: 0 })),
    );
    expect(nothing).toMatchObject({ verdict: 'invalid', budgetLeft: undefined });
    expect(explainEvaluation(level, nothing)).toContain('silence is not health');
  });

  it('never gets better when more events are bad', () => {
    const order = ['pass', 'invalid', 'fail'];
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, share, (a, b) => {
        const verdictAt = (badShare: number) =>
          order.indexOf(
            evaluateWindows(
              level,
              objective,
              steady(() => badShare),
            ).verdict,
          );
        expect(verdictAt(Math.max(a, b))).toBeGreaterThanOrEqual(verdictAt(Math.min(a, b)));
      }),
    );
  });
});

describe('what one load test says of an objective', () => {
  it.each([
    [0, 2994, 'invalid'],
    [0, 2995, 'pass'],
    [0, 100, 'invalid'],
    [5, 1000, 'fail'],
    [2, 1000, 'invalid'],
    [1000, 1000, 'fail'],
    [0, 0, 'invalid'],
  ])('%d bad of %d events at 99.9 %%: %s', (bad, total, verdict) => {
    expect(evaluateRun(objective, { windowMs: minute, bad, total }).verdict).toBe(verdict);
  });

  it.each([
    [0, 2995, undefined, 'pass', 'proven within the budget at 95 % confidence'],
    [5, 1000, undefined, 'fail', 'proven beyond the budget at 95 % confidence'],
    // Two of 1,000 are more than one in a thousand: no number of good events is promised.
    [2, 1000, undefined, 'invalid', '2 bad of 1,000 proves nothing about 99.9 %'],
    [1, 1000, undefined, 'invalid', '1 bad of 1,000 proves nothing about 99.9 %; 3,742 more without a miss would'],
    [0, 100, undefined, 'invalid', '0 bad of 100 proves nothing about 99.9 %; 2,895 more without a miss would'],
    [0, 0, undefined, 'invalid', 'no events'],
    [0, 5000, 'frames were late', 'invalid', 'the run proves nothing: frames were late'],
  ] as const)('%d bad of %d events (doubt: %s): %s, %s', (bad, total, doubt, verdict, reason) => {
    const count = { windowMs: minute, bad, total };
    expect(evaluateRun(objective, count, doubt)).toEqual({
      objective,
      atMostMs: undefined,
      windows: [{ ...count, burn: total === 0 ? undefined : expect.closeTo(bad / total / 0.001, 9) }],
      firing: [],
      budgetLeft: undefined,
      exhaustedInMs: undefined,
      verdict,
      reason,
    });
  });

  it('just at its budget wants events without a miss', () => {
    const half = { ...objective, target: 0.5 };
    const verdictOf = (bad: number) => evaluateRun(half, { windowMs: minute, bad, total: 10 }).reason;
    expect(verdictOf(5)).toBe('5 bad of 10 proves nothing about 50 %; 8 more without a miss would');
    expect(verdictOf(6)).toBe('6 bad of 10 proves nothing about 50 %');
  });

  it('says what an event may take there, for learners wait longer than the server', () => {
    const latency = { histogram: 'h', atMost: 300, unit: 's' as const };
    const loadtest = { metric: 'feedback_latency', atMost: 500 } as const;
    const timed = { ...objective, indicator: { latency, loadtest } };
    expect(evaluateRun(timed, { windowMs: minute, bad: 0, total: 1 }).atMostMs).toBe(500);
    expect(
      evaluateWindows(
        level,
        timed,
        steady(() => 0),
      ).atMostMs,
    ).toBe(300);
  });

  it('is judged as a whole by its worst objective', () => {
    const verdicts = (...all: ('pass' | 'fail' | 'invalid')[]) => overallVerdict(all.map((verdict) => ({ verdict })));
    expect(verdicts('pass', 'pass')).toBe('pass');
    expect(verdicts('pass', 'invalid')).toBe('invalid');
    expect(verdicts('invalid', 'fail')).toBe('fail');
    expect(verdicts()).toBe('invalid');
  });
});

describe('an alert', () => {
  it('says in words what it means, what it costs and when it ends', () => {
    expect(explainAlert(level, objective, level.alerts[0]!)).toBe(
      'More than 1.44 % of the events of availability in the last 1 h failed, and still do in the last 5 m; speechfb promises at ' +
        'most 0.1 % over 30 d. That is above 14.4 times the rate that the promise can bear: 2 % of the budget of 30 d goes in 1 h, ' +
        'all of it in 2 d 2 h. It ends by itself within 5 m of the cause being gone.',
    );
  });
});
