import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { yamlText } from '../../src/config/yaml-text.ts';

it.each([
  [{ a: 'b' }, 'a: b\n'],
  [{ a: 'exe\u202egnp' }, 'a: "exe\\u202egnp"\n'],
  [{ '\u200b': ['\u{e0041}'] }, '"\\u200b":\n  - "\\U000e0041"\n'],
  [{ a: 'two\nlines\n' }, 'a: |\n  two\n  lines\n'],
])('writes %j without what a terminal obeys', (value, text) => {
  expect(yamlText(value)).toBe(text);
});

it('reads back as it was, whatever is in it', () => {
  const unit = fc.oneof(
    fc.constantFrom('\u202e', '\x9b', '\x1b', '\n', ' ', '"', '\\', ':', '#', '\u2028', '\u{e0041}'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      expect(parse(yamlText({ text, [`k${text}`]: 1 }))).toEqual({ text, [`k${text}`]: 1 });
    }),
    { seed: 12 },
  );
});
