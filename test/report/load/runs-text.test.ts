import { describe, expect, it } from 'vitest';
import { comparisonText } from '../../../src/report/load/comparison-text.ts';
import { runsText } from '../../../src/report/load/runs-text.ts';
import { createPaint } from '../../../src/report/terminal/paint.ts';
import type { LoadReport } from '../../../src/results/report.ts';
import { runsReport } from '../../../src/results/runs.ts';
import { report } from '../../kit/report-fixture.ts';

const plain = createPaint(false);

describe('several runs of one scenario', () => {
  const runs = runsReport([runOf(1, 44, 'pass'), runOf(2, 46, 'pass'), runOf(3, 48, 'fail')], ['a', 'b', 'c']);

  it('fail when one failed', () => expect(runs.verdict).toBe('fail'));

  it.each<[LoadReport['verdict'][], string]>([
    [['pass', 'pass'], 'pass'],
    [['pass', 'invalid'], 'invalid'],
    [['invalid', 'fail'], 'fail'],
  ])('that are %j are %s together', (verdicts, together) => {
    const reports = verdicts.map((verdict, i) => runOf(i, 44, verdict));
    expect(runsReport(reports, []).verdict).toBe(together);
  });

  it('give each objective a mean and an interval from run to run', () => {
    const interval = { mean: 46, lower: expect.closeTo(41.03, 2), upper: expect.closeTo(50.97, 2) };
    expect(runs.objectives[0]).toMatchObject({ values: [44, 46, 48], interval });
  });

  it('give no interval where a run never had the value', () => {
    const never = runsReport([runOf(1, 44, 'pass'), runOf(2, Number.POSITIVE_INFINITY, 'fail')], []);
    expect(never.objectives[0]!.interval).toBeUndefined();
  });

  it.each([
    ['a column a run', /objective +seed 1 +seed 2 +seed 3 +mean +95 % interval/],
    ['a missed value with a mark', /44\.0 ms +46\.0 ms +48\.0 ms ! +46\.0 ms +41\.0 ms to 51\.0 ms/],
    ['the verdict of all', /verdict of all runs: FAIL/],
  ])('show %s', (_, pattern) => {
    expect(runsText(runs, plain)).toMatch(pattern);
  });

  it('say that one run has no interval', () => {
    expect(runsText(runsReport([runOf(1, 44, 'pass')], []), plain)).toContain('needs more runs');
  });
});

describe('a comparison as text', () => {
  const change = { baseline: 45, candidate: 95, shift: 50, lower: 48.5, upper: Number.POSITIVE_INFINITY, margin: 5 };
  const text = comparisonText(
    {
      baseline: { name: 'main', runs: 1 },
      candidate: { name: 'branch', runs: 3 },
      doubts: ['branch: was interrupted'],
      notes: ['different schedules, a and b'],
      metrics: [
        {
          metric: 'p50(feedback_latency)',
          of: 'feedback_latency',
          unit: 'ms',
          ...change,
          verdict: 'worse',
          method: 'mann-whitney',
        },
      ],
      undecided: [],
      strict: false,
      verdict: 'invalid',
    },
    plain,
  );

  it.each([
    ['says what stands against what', 'branch (3 runs) against the baseline main (1 run)'],
    [
      'shows the change with its interval, open where it is',
      /45\.0 ms +95\.0 ms +\+50\.0 ms +\+48\.5 ms to \+any +5\.00 ms +worse/,
    ],
    ['says how it was judged', 'sessions as observations (Mann-Whitney)'],
    ['notes what differs', 'note: different schedules, a and b'],
    ['says why it proves nothing', 'INVALID branch: was interrupted'],
    ['ends with the verdict', 'verdict: INVALID'],
  ])('%s', (_, part) => {
    expect(text).toMatch(part);
  });
});

function runOf(seed: number, value: number, verdict: LoadReport['verdict']): LoadReport {
  const objectives = [{ ...report.objectives[0]!, value, verdict }];
  return { ...report, scenario: { ...report.scenario, seed }, objectives, verdict };
}
