import { expect, it } from 'vitest';
import { wantsColour } from '../../src/commands/terminal.ts';
import { createPaint } from '../../src/report/terminal/paint.ts';

it.each([
  ['a terminal', { isTTY: true }, { TERM: 'xterm-256color' }, true],
  ['a terminal that does not say its kind', { isTTY: true }, {}, true],
  ['a pipe or a file', {}, { TERM: 'xterm-256color' }, false],
  ['a terminal whose user wants none', { isTTY: true }, { TERM: 'xterm', NO_COLOR: '1' }, false],
  ['an empty NO_COLOR, which says nothing', { isTTY: true }, { TERM: 'xterm', NO_COLOR: '' }, true],
  ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, false],
])('colour for %s', (_, stream, env: NodeJS.ProcessEnv, expected) => {
  expect(wantsColour(stream, env)).toBe(expected);
});

it('paints with ANSI codes, or not at all', () => {
  expect(createPaint(true).bad('late')).toBe('\u001b[31mlate\u001b[39m');
  expect(createPaint(true).dim('note')).toBe('\u001b[2mnote\u001b[22m');
  expect(createPaint(false).bad('late')).toBe('late');
});
