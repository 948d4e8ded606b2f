import { describe, expect, it } from 'vitest';
import { type CanaryCase, falseRollbacks } from '../../../bench/coverage/canary.ts';
import { type CompareCase, calledWorse } from '../../../bench/coverage/compare.ts';
import { falseProofs, type LoadtestCase } from '../../../bench/coverage/loadtest.ts';

/** Rows of the tables in docs/statistics.md with fewer replicates: the bounds leave room for the error of so few. */
describe('a load test whose true value is on the bound', () => {
  it.each<[string, LoadtestCase, number]>([
    [
      'p95, twenty sessions that do not differ',
      { kind: 'quantile', missShare: 0.05, sessions: 20, samples: 50, alike: 0, lengths: 0 },
      0,
    ],
    [
      'p95, twenty that differ',
      { kind: 'quantile', missShare: 0.05, sessions: 20, samples: 100, alike: 0.3, lengths: 0 },
      0.25,
    ],
    [
      'p95, twenty of unequal lengths',
      { kind: 'quantile', missShare: 0.05, sessions: 20, samples: 60, alike: 0.5, lengths: 1.2 },
      0.35,
    ],
    ['p99, fifty', { kind: 'quantile', missShare: 0.01, sessions: 50, samples: 100, alike: 0.5, lengths: 0 }, 0.25],
    [
      '99 %, twenty that differ',
      { kind: 'share', missShare: 0.01, sessions: 20, samples: 200, alike: 1, lengths: 0 },
      0.12,
    ],
    [
      '99 %, fifty of unequal lengths',
      { kind: 'share', missShare: 0.01, sessions: 50, samples: 100, alike: 1, lengths: 1.2 },
      0.15,
    ],
    [
      '99 %, two hundred of unequal lengths',
      { kind: 'share', missShare: 0.01, sessions: 200, samples: 200, alike: 1, lengths: 1.2 },
      0.25,
    ],
    [
      '99 %, five hundred that differ as much as their lengths',
      { kind: 'share', missShare: 0.01, sessions: 500, samples: 200, alike: 2, lengths: 1.2 },
      0.4,
    ],
    [
      '99.9 %, fifty of which few are bad as a whole',
      { kind: 'beta-share', missShare: 0.001, sessions: 50, samples: 200, alike: 0.3, lengths: 0.6 },
      0.4,
    ],
  ])('passes falsely in at most 6 %%: %s', (_, one, before) => {
    const { bySessions, bySamples } = falseProofs(one, 300, 3);
    expect(bySessions).toBeLessThanOrEqual(0.06);
    expect(bySamples).toBeGreaterThanOrEqual(before);
  });
});

describe('runs of one server that loses sessions', () => {
  const of = (sessions: number, slots: number, dying: number, runs: number): CompareCase => ({
    sessions,
    slots,
    dying,
    runs,
    worsening: 1,
  });

  it.each([
    ['20 sessions, 2 %', of(20, 250, 0.02, 1), 0.1],
    ['50 sessions, 2 %', of(50, 600, 0.02, 1), 0.3],
    ['200 sessions, .5 %', of(200, 600, 0.005, 1), 0.2],
    ['200 sessions, 5 %', of(200, 50, 0.05, 1), 0.15],
    ['20 sessions, 2 %, two runs a side', of(20, 250, 0.02, 2), 0.15],
    ['50 sessions, 2 %, five runs a side', of(50, 600, 0.02, 5), 0.3],
  ])('are called worse in at most 3 %%: %s', (_, one, before) => {
    const { bySessions, byEvents } = calledWorse(one, 400, 5);
    expect(bySessions).toBeLessThanOrEqual(0.03);
    expect(byEvents).toBeGreaterThanOrEqual(before);
  });

  it('are called worse when the other loses three times as many', () => {
    expect(calledWorse({ ...of(1000, 100, 0.02, 1), worsening: 3 }, 50, 5).bySessions).toBeGreaterThan(0.9);
  });
});

describe('a canary that is just acceptable', () => {
  it.each<[string, CanaryCase, number]>([
    ['events that are independent', { events: 1, sharing: 1, units: 3000 }, 0],
    ['utterances of five', { events: 5, sharing: 1, units: 1200 }, 0.012],
    ['utterances of twenty', { events: 20, sharing: 1, units: 1000 }, 0.08],
    ['utterances that share their fate half the time', { events: 20, sharing: 0.5, units: 500 }, 0.03],
    ['utterances that share none', { events: 20, sharing: 0, units: 500 }, 0],
  ])('is rolled back in about 1 %% at most: %s', (_, one, before) => {
    const { byUnits, byEvents } = falseRollbacks(one, 2000, 9);
    expect(byUnits).toBeLessThanOrEqual(0.013);
    expect(byEvents).toBeGreaterThanOrEqual(before);
  });
});
