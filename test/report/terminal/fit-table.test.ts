import { describe, expect, it } from 'vitest';
import { fitColumns, fitTable } from '../../../src/report/terminal/fit-table.ts';

const head = ['latency', 'p50', 'p95', 'max'];
const rows = [
  ['feedback_latency', '45.0 ms', '61.0 ms', '90.2 ms'],
  ['connect_time', '5.86 ms', 'never', 'never'],
];
const spare = ['max', 'p95'];

describe('a table', () => {
  it('is in a box where that fits, as it does in a pipe', () => {
    const box = fitTable(head, rows, { columns: undefined, spare });
    expect(box.split('\n')[1]).toBe('│ latency          │     p50 │     p95 │     max │');
    expect(fitTable(head, rows, { columns: 50, spare })).toBe(box);
  });

  it.each([
    [48, ['latency               p50      p95      max', 'connect_time      5.86 ms    never    never']],
    [40, ['latency               p50      p95', 'connect_time      5.86 ms    never']],
    [30, ['latency               p50', 'connect_time      5.86 ms']],
    [10, ['latency               p50', 'connect_time      5.86 ms']],
  ])('of %i columns is bare, and goes without what can be spared', (columns, expected) => {
    const [first, , last] = fitTable(head, rows, { columns, spare }).split('\n');
    expect([first, last]).toEqual(expected);
  });

  it('may have no box at all', () => {
    expect(fitColumns(head, rows, { columns: undefined }).split('\n')[0]).toBe(
      'latency               p50      p95      max',
    );
  });

  it('keeps columns of words to the left', () => {
    const text = fitTable(['a', 'verdict'], [['x', 'pass']], { columns: 5, left: ['a', 'verdict'] });
    expect(text).toBe('a  verdict\nx  pass');
  });
});
