import { describe, expect, it } from 'vitest';
import { hdrplotText } from '../../../src/report/export/hdrplot.ts';
import { distributionOf } from '../../kit/samples.ts';

describe('hdrplot text', () => {
  const thousand = hdrplotText('feedback_latency', distributionOf(...Array.from({ length: 1000 }, (_, i) => i + 1)));
  const rows = rowsOf(thousand);

  it('begins with the columns that the HdrHistogram plotter looks for', () => {
    expect(thousand.split('\n')[0]!.trim().split(/\s+/)).toEqual([
      'Value',
      'Percentile',
      'TotalCount',
      '1/(1-Percentile)',
    ]);
  });

  it.each([
    [0.5, 500],
    [0.75, 750],
    [0.875, 875],
    [1, 1000],
  ])('at %d has the nearest-rank percentile %d', (percentile, value) => {
    expect(rows.find((row) => row[1] === percentile)?.[0]).toBe(value);
  });

  it('rises in value, percentile and count', () => {
    for (const column of [0, 1, 2]) {
      const values = rows.map((row) => row[column]!);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
  });

  it('ends where feedback never came, and says how many samples that is', () => {
    const text = hdrplotText('final_latency', distributionOf(10, 20, 30, Number.POSITIVE_INFINITY));
    expect(rowsOf(text).at(-1)![0]).toBe(30);
    expect(text).toContain('#[final_latency in ms, Total count = 4, never = 1]');
  });

  it.each([
    ['nothing was measured', [], 0, 0],
    ['nothing ever came', [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], 2, 2],
  ])('has no rows when %s', (_, samples, total, never) => {
    const text = hdrplotText('resume_time', distributionOf(...samples));
    expect(rowsOf(text)).toEqual([]);
    expect(text).toContain(`Total count = ${total}, never = ${never}]`);
  });
});

function rowsOf(text: string): number[][] {
  const lines = text
    .split('\n')
    .slice(1)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.map((line) => line.trim().split(/\s+/).map(Number));
}
