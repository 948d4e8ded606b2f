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

it('keeps the first five texts that differ in numbers alone, and counts the rest with them', () => {
  const errors = new SessionErrors();
  for (let i = 0; i < 1000; i++) errors.add(`event_id ${i} after ${i + 7}`);
  expect(errors.list()).toEqual([
    { text: 'event_id 0 after 7, and others like it', count: 995 },
    ...[0, 1, 2, 3, 4].map((i) => ({ text: `event_id ${i} after ${i + 7}`, count: 1 })),
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
