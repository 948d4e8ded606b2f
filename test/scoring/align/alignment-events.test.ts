import { expect, it } from 'vitest';
import { type AlignmentEvent, readEnd, readSegment } from '../../../src/scoring/align/alignment-events.ts';
import { buildGraph } from '../../../src/scoring/align/graph.ts';
import { alphabet } from '../../kit/speech.ts';

// Words 0 1 2 3; word 2 has two variants that part after their first phone.
const graph = buildGraph(
  {
    words: [
      { text: 'we', variants: [['W', 'IY']], source: 'dictionary' },
      { text: 'call', variants: [['K', 'AO', 'L']], source: 'dictionary' },
      {
        text: 'the',
        variants: [
          ['DH', 'AH'],
          ['DH', 'IY'],
        ],
        source: 'dictionary',
      },
      { text: 'bear', variants: [['B', 'EH', 'R']], source: 'dictionary' },
    ],
  },
  alphabet,
);
const names = ['W', 'IY', 'K', 'AO', 'L', 'DH', 'AH', 'IY2', 'B', 'EH', 'R', ...[0, 1, 2, 3, 4].map((j) => `sil${j}`)];
names.push(...[0, 1, 2, 3, 4].map((j) => `other${j}`));

function show(event: AlignmentEvent): string {
  switch (event.kind) {
    case 'phone':
    case 'omitted':
      return `${event.kind} ${names[event.state]}`;
    case 'skipped':
      return `skipped ${event.word}`;
    case 'repeated':
      return `repeated ${event.from}-${event.to}`;
    case 'other_words':
      return `other_words ${event.before}`;
    default:
      return event.kind;
  }
}

it('variants share their beginning', () => {
  expect(graph.phones).toBe(11);
  expect(graph.variants[2]!.map((states) => Array.from(states, (state) => names[state]))).toEqual([
    ['DH', 'AH'],
    ['DH', 'IY2'],
  ]);
  expect(Array.from(graph.firstIndex)).toEqual([0, 2, 5, 7, 10]);
});

it.each([
  ['start', 'sil0', 'silence'],
  ['start', 'W', 'phone W'],
  ['start', 'IY', 'omitted W, phone IY'],
  ['start', 'K', 'skipped 0, phone K'],
  ['sil0', 'W', 'phone W'],
  ['W', 'IY', 'phone IY'],
  ['IY', 'K', 'phone K'],
  ['IY', 'sil1', 'silence'],
  ['sil1', 'K', 'phone K'],
  ['K', 'L', 'omitted AO, phone L'],
  ['AO', 'DH', 'omitted L, phone DH'],
  ['AO', 'sil2', 'omitted L, silence'],
  ['DH', 'IY2', 'phone IY2'],
  ['IY', 'DH', 'skipped 1, phone DH'],
  ['IY', 'sil3', 'skipped 1, skipped 2, silence'],
  ['sil1', 'B', 'skipped 1, skipped 2, phone B'],
  ['L', 'K', 'repeated 1-1, phone K'],
  ['AO', 'K', 'repeated 1-1, phone K'],
  ['L', 'W', 'repeated 0-1, phone W'],
  ['sil2', 'K', 'repeated 1-1, phone K'],
  ['L', 'sil0', 'repeated 0-1, silence'],
  ['L', 'other2', 'other_words 2'],
  ['other2', 'DH', 'phone DH'],
])('%s then %s: %s', (from, to, events) => {
  const found = readSegment(graph, names.indexOf(from), { state: names.indexOf(to), start: 3, end: 5 });
  expect(found.map(show).join(', ')).toBe(events);
});

it.each([
  ['R', ''],
  ['sil4', ''],
  ['EH', 'omitted R'],
  ['AH', 'skipped 3'],
  ['sil2', 'skipped 2, skipped 3'],
  ['start', 'skipped 0, skipped 1, skipped 2, skipped 3'],
])('the end after %s: %s', (last, events) => {
  expect(readEnd(graph, names.indexOf(last), 9).map(show).join(', ')).toBe(events);
});
