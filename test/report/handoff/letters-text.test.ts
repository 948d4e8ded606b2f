import { expect, it } from 'vitest';
import type { Letter } from '../../../src/handoff/letters.ts';
import { lettersText } from '../../../src/report/handoff/letters-text.ts';
import { createPaint } from '../../../src/report/terminal/paint.ts';

const reasons = ['it is no record of an utterance', `it was changed, ${'or is under another key '.repeat(4)}`, ''];

/** So many letters, whose ids and reasons are short and long. */
function lettersOf(count: number): Letter[] {
  return Array.from({ length: count }, (_, at) => ({
    id: `${at % 12}:${at * 1000}`,
    diedMs: 1_764_500_000_000 + at,
    reason: reasons[at % reasons.length]!,
    tries: at % 2 ? 5 : undefined,
    from: '1:7',
    bytes: 300,
    head: {
      ...{ session: 'd3b07384-d9a0-4c9b-8a1f-6f1e1c3e5f00', utterance: at, region: '', model: 'm 1' },
      ...{ createdMs: 1, expiresMs: 2e12 },
    },
    isExpired: false,
    replayedMs: at % 3 ? undefined : 1,
  }));
}

it.each([
  [3, undefined, 'a box, and whole reasons', { cut: false, box: true }],
  [3, 220, 'a box, and whole reasons', { cut: false, box: true }],
  [3, 80, 'columns, and reasons that are cut', { cut: true, box: false }],
  [600, 80, 'columns, and reasons that are cut', { cut: true, box: false }],
  [600, undefined, 'columns, and whole reasons', { cut: false, box: false }],
])('%d letters on %s columns have %s', (count, columns, _, { cut, box }) => {
  const text = lettersText({ topic: 't', letters: lettersOf(count), older: 9 }, createPaint(false), columns);
  const lines = text.split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns ?? 1000);
  expect(text.includes('...')).toBe(cut);
  expect(text.includes('│')).toBe(box);
  expect(lines.filter((line) => line.includes('d3b07384-'))).toHaveLength(count);
  expect(text).toContain('9 older ones not shown: --before 0:0');
});
