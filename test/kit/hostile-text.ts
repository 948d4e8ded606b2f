import { hiddenCharacters } from '../../src/plain-text.ts';

/** What follows a line break in it would begin a line of a report, were it not written out. */
const forged = 'FORGED';

/** Everything that a terminal obeys, a page marks up or nobody sees, in one text. */
export const hostileText = [
  `${forged} begins`,
  '\x1b]0;title\x07',
  '\x1b[2J\x1b[31m\x9b1m',
  '\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\',
  'exe\u202egnp\u2066\u200f\u061c',
  '\u200b\u2060\ufeff\u{e0041}',
  '\ud800',
  'written\rover\b\b\b\0\x7f',
  `\u2028${forged}\n${forged}: pass\r\n# ${forged}`,
  `Z${'\u0301'.repeat(60)}`,
  '<img src=x onerror=alert(1)><script>alert(1)</script>',
  '@everyone #1 http://evil.example ![x](http://evil.example/x.png) [x](javascript:alert(1))',
  '| a | `b` *c* &lt; $d$',
  'A'.repeat(10_000),
].join(' ');

/** The same as a name of a file can be: neither `/` nor NUL, no half of a pair, short. */
export const hostileName = `${hostileText
  .slice(0, hostileText.indexOf('AAAA'))
  .replace(/[/\0\ud800]/g, '')
  .replace(/\u0301+/, '\u0301'.repeat(12))
  .slice(0, 150)}.wav`;

export type ShownAs = 'text' | 'json' | 'markdown' | 'xml' | 'metrics';

/** What of the hostile text stands raw in an output; nothing, where it is as it should be. */
export function rawIn(output: string, as: ShownAs): string[] {
  const found = (output.match(hiddenCharacters) ?? []).filter((one) => one !== '\n');
  const raw = [...new Set(found.map((one) => `U+${one.codePointAt(0)!.toString(16)}`))];
  if (/^\W*FORGED(?! begins)/m.test(output)) raw.push('a line of its own');
  if (as === 'json') return raw;
  if (/\p{M}{9}/u.test(output)) raw.push('a flood of marks');
  if (/A{3000}/.test(output)) raw.push('its whole length');
  if ((as === 'xml' || as === 'markdown') && /<img|<script/.test(output)) raw.push('an element');
  if (as === 'markdown') raw.push(...markupIn(output));
  return raw;
}

/** In Markdown nothing in the letters of code is markup. */
function markupIn(page: string): string[] {
  const text = page.replace(/\\.|`[^`\n]*`/g, '');
  const marks = {
    'a mention': /@everyone/,
    'a reference': /#1\b/,
    'an address': /evil\.example/,
    'a link': /\]\(/,
  };
  return Object.entries(marks).flatMap(([name, mark]) => (mark.test(text) ? [name] : []));
}
