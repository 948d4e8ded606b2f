import { describe, expect, it } from 'vitest';
import { type CapacitySearch, capacitySearchText, capacityVerdict } from '../../../src/report/load/capacity-search.ts';
import { createPaint } from '../../../src/report/terminal/paint.ts';

const step: CapacitySearch['steps'][number] = {
  learners: 40,
  outcome: 'carried',
  proven: true,
  long: false,
  reason: '',
  p50Ms: 45,
  p95Ms: 90,
  p99Ms: 120,
  throughput: 34.2,
};
const missed = {
  ...step,
  learners: 80,
  outcome: 'missed',
  p99Ms: Infinity,
  reason: 'p95 < 1s: 9 of 90 missed',
} as const;
const late = { ...missed, outcome: 'generator', reason: 'send lateness: p99 12 ms' } as const;
const search: CapacitySearch = {
  name: 'class',
  target: 'a server of this version',
  learners: 40,
  confirmed: true,
  limit: 'server',
  overBill: undefined,
  steps: [step, missed, { ...step, long: true, proven: false, reason: 'availability >= 99.9%' }],
};

describe('what a search found', () => {
  it.each<[Partial<CapacitySearch>, string]>([
    [{}, '40 learners, confirmed by a longer run; 80 were too many'],
    [{ limit: 'most', learners: 1 }, 'at least 1 learner, confirmed; more were not tried'],
    [{ limit: 'interrupted' }, 'interrupted: at least 40 learners, not confirmed'],
    [{ limit: 'interrupted', learners: 0, steps: [] }, 'interrupted before any load was carried'],
    [{ limit: 'cost', overBill: 'it costs $6' }, 'at least 40 learners, not confirmed; it costs $6'],
    [{ limit: 'cost', overBill: 'it costs $6', learners: 0 }, 'nothing is known; it costs $6'],
    [{ learners: 0 }, 'not even one learner was carried'],
    [
      { limit: 'generator', steps: [step, { ...missed, outcome: 'generator', reason: 'send lateness: p99 12 ms' }] },
      'at least 40 learners, not confirmed; 80 learners could not be measured, invalid once: send lateness: p99 12 ms',
    ],
    [
      { limit: 'generator', learners: 0, steps: Array(4).fill(late) },
      'nothing is known; 80 learners could not be measured, invalid 4 times: send lateness: p99 12 ms',
    ],
  ])('with %j reads %s', (changed, sentence) => {
    expect(capacityVerdict({ ...search, ...changed })).toBe(sentence);
  });

  it('that ended at the generator ends with why and what to do', () => {
    const text = capacitySearchText({ ...search, limit: 'generator', steps: Array(4).fill(late) }, createPaint(false));
    expect(text).toMatch(/invalid 4 times: send lateness: p99 12 ms\nwhat to do: end what else runs .*\n$/);
  });

  it.each([
    [undefined, /│ {7}80 │ 45\.0 ms │ 90\.0 ms │ {2}never │ {6}34\.2 │ missed: p95 < 1s: 9 of 90 missed +│/],
    [60, /^ {6}80 {2}45\.0 ms {2}90\.0 ms {3}never {7}34\.2 {2}missed: p95/m],
  ])('in %s columns has a row a step', (columns, row) => {
    const text = capacitySearchText(search, createPaint(false), columns);
    expect(text).toMatch(row);
    expect(text).toContain('confirmed, not proven: availability >= 99.9%');
  });
});
