import { expect, it } from 'vitest';
import { SessionErrors } from '../../src/results/session-errors.ts';

it('counts errors by their text, most frequent first', () => {
  const errors = new SessionErrors();
  for (const text of ['a', 'b', 'b']) errors.add(text);
  errors.add('a', 5);
  expect(errors.list()).toEqual([
    { text: 'a', count: 6 },
    { text: 'b', count: 2 },
  ]);
});

it('counts texts that differ in numbers alone as one, and shows the first', () => {
  const errors = new SessionErrors();
  for (let i = 0; i < 1000; i++) errors.add(`event_id ${i} after ${i + 7}`);
  errors.add('lost: gone (1006)', 3);
  expect(errors.list()).toEqual([
    { text: 'event_id 0 after 7, and others like it', count: 1000 },
    { text: 'lost: gone (1006)', count: 3 },
  ]);
});

it.each([
  ['statuses of refusals', 'refused: HTTP 429 no', 'refused: HTTP 503 no'],
  ['codes of closes', 'lost: gone (1006)', 'lost: gone (1011)'],
])('does not count as one what differs in %s', (_, one, other) => {
  const errors = new SessionErrors();
  for (const text of [one, other, one]) errors.add(text);
  expect(errors.list()).toEqual([
    { text: one, count: 2 },
    { text: other, count: 1 },
  ]);
});

it('keeps the first five texts of a kind, and counts the rest with the first', () => {
  const errors = new SessionErrors();
  for (const letter of 'abcdefgh') errors.add(`busy: ${letter}`, 1, 'error busy');
  expect(errors.list()).toEqual([
    { text: 'busy: a, and others like it', count: 4 },
    ...[...'bcde'].map((letter) => ({ text: `busy: ${letter}`, count: 1 })),
  ]);
});

it('shows one line of what several generators saw with other numbers', () => {
  const sum = new SessionErrors();
  for (const seconds of [6, 7]) {
    const errors = new SessionErrors();
    for (const more of [0, 1]) errors.add(`refused: HTTP 429; it asks to come again in ${seconds + more} s`);
    for (const { text, count } of errors.list()) sum.add(text, count);
  }
  expect(sum.list()).toEqual([
    { text: 'refused: HTTP 429; it asks to come again in 6 s, and others like it', count: 4 },
  ]);
});

it('keeps a bounded list of whatever a server says, and every count', () => {
  const errors = new SessionErrors();
  for (let i = 0; i < 20_000; i++) {
    const letters = i.toString(36).replace(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)]!);
    errors.add(`${letters} ${'long '.repeat(1000)}`);
    errors.add(`server_busy: ${letters}`, 1, 'error server_busy');
  }
  const list = errors.list();
  expect(list.length).toBeLessThanOrEqual(106);
  expect(Math.max(...list.map(({ text }) => text.length))).toBeLessThan(450);
  expect(list.reduce((sum, { count }) => sum + count, 0)).toBe(40_000);
  const most = list.filter(({ count }) => count > 19_000).map(({ text }) => text);
  expect(most.sort()).toEqual([
    'errors of other kinds',
    expect.stringMatching(/^server_busy: \w+, and others like it$/),
  ]);
});

it('adds up what generators kept, the rest of each among it', () => {
  const [one, two, sum] = [new SessionErrors(), new SessionErrors(), new SessionErrors()];
  for (let i = 0; i < 30_000; i++) for (const errors of [one, two]) errors.add(`x${'y'.repeat(i % 300)}: ${i}`);
  for (const errors of [one, two]) for (const { text, count } of errors.list()) sum.add(text, count);
  expect(sum.list().reduce((all, { count }) => all + count, 0)).toBe(60_000);
  expect(sum.list().filter(({ text }) => text === 'errors of other kinds')).toHaveLength(1);
});
