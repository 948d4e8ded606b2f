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
