import { describe, expect, it } from 'vitest';
import type { Evaluation } from '../../../src/slo/service-level/evaluate.ts';
import { explainAlert, explainEvaluation, missText } from '../../../src/slo/service-level/explain.ts';
import { levelOf, oneObjective } from '../../kit/service-level-kit.ts';

const hour = 3_600_000;
const day = 24 * hour;
const level = levelOf(oneObjective());
const objective = level.objectives[0]!;
const [page, , ticket] = level.alerts;
const latency = { histogram: 'h', atMost: 250, unit: 's' } as const;

/** A thousand events over 30 days, one of them bad: all of the budget, and nothing known of what comes. */
const spent: Evaluation = {
  objective,
  atMostMs: undefined,
  verdict: 'pass',
  reason: 'within the budget',
  windows: [{ windowMs: 30 * day, bad: 1, total: 1000, burn: 1 }],
  budgetLeft: undefined,
  exhaustedInMs: undefined,
  firing: [],
};
const seen =
  'availability of speechfb: 1 of 1,000 events (0.1 %) in 30 d failed; the promise is at most 0.1 %, so the budget burns at 1 ' +
  'times the rate it can bear.';
const nothing = 'availability of speechfb: no events were seen, so nothing is known; silence is not health.';

describe('where an objective stands, in sentences', () => {
  it.each<[string, Partial<Evaluation>, string]>([
    ['only what was seen', {}, seen],
    ['what an event may take', { atMostMs: 250 }, seen.replace('failed', 'took longer than 250 ms')],
    [
      'the widest window',
      {
        windows: [
          { windowMs: hour, bad: 9, total: 10, burn: 900 },
          { windowMs: 30 * day, bad: 1, total: 1000, burn: 1 },
        ],
      },
      seen,
    ],
    ['no window at all', { windows: [] }, nothing],
    ['no events', { windows: [{ windowMs: day, bad: 0, total: 0, burn: undefined }] }, nothing],
    [
      'a window whose burn nobody knows',
      { windows: [{ windowMs: 30 * day, bad: 1, total: 1000, burn: undefined }] },
      seen.replace('burns at 1 ', 'burns at 0 '),
    ],
    ['a budget that is left', { budgetLeft: 0.25 }, `${seen} 25 % of the budget of 30 d is left.`],
    ['a budget that is just spent', { budgetLeft: 0 }, `${seen} The budget of 30 d is spent 1 times over.`],
    [
      'a budget that is overspent, and is not gone once more',
      { budgetLeft: -1.5, exhaustedInMs: 0 },
      `${seen} The budget of 30 d is spent 2.5 times over.`,
    ],
    [
      'a budget that is just spent, and is not gone once more',
      { budgetLeft: 0, exhaustedInMs: 0 },
      `${seen} The budget of 30 d is spent 1 times over.`,
    ],
    [
      'when it is gone',
      { budgetLeft: 0.5, exhaustedInMs: 3 * hour },
      `${seen} 50 % of the budget of 30 d is left. At the present pace it is gone in 3 h.`,
    ],
    [
      'that it lasts',
      { budgetLeft: 0.5, exhaustedInMs: Number.POSITIVE_INFINITY },
      `${seen} 50 % of the budget of 30 d is left. It will last.`,
    ],
    ['no pace of a budget that nobody knows', { exhaustedInMs: 3 * hour }, seen],
    [
      'each alert that fires',
      { firing: [page!, ticket!] },
      `${seen} The page for burn above 14.4 over 1 h fires. The ticket for burn above 3 over 1 d fires.`,
    ],
  ])('say %s', (_, now, sentences) => {
    expect(explainEvaluation(level, { ...spent, ...now })).toBe(sentences);
  });
});

describe('an alert, in sentences', () => {
  it('says of a latency what is too long, and leaves the share to the pager', () => {
    const fast = { ...objective, name: 'fast', target: 0.99, indicator: { latency } };
    expect(explainAlert(level, fast, ticket!, '{{ share }}')).toBe(
      '{{ share }} of the events of fast in the last 1 d took longer than 250 ms, and still do in the last 2 h; speechfb promises ' +
        'at most 1 % over 30 d. That is above 3 times the rate that the promise can bear: 10 % of the budget of 30 d goes in 1 d, ' +
        'all of it in 10 d. It ends by itself within 2 h of the cause being gone.',
    );
  });

  it('says the share itself where nobody fills it in', () => {
    expect(explainAlert(level, { ...objective, target: 0.99 }, ticket!)).toMatch(
      /^More than 3 % of the events of availability in the last 1 d failed, /,
    );
  });

  it.each([
    ['failed', { events: { bad: 'b', total: 'a', good: undefined } }],
    ['took longer than 250 ms', { latency }],
  ])('calls a bad event one that %s', (text, indicator) => {
    expect(missText(indicator)).toBe(text);
  });
});
