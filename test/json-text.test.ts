import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonText } from '../src/json-text.ts';

it.each([
  ['\x1b]0;mine\x07', '"\\u001b]0;mine\\u0007"'],
  ['\x7f\x9b', '"\\u007f\\u009b"'],
  ['exe\u202egnp', '"exe\\u202egnp"'],
  ['a\u2028b', '"a\\u2028b"'],
  ['\u{e0041}', '"\\udb40\\udc41"'],
  ['\ud800', '"\\ud800"'],
])('writes %j without what a terminal obeys', (text, json) => {
  expect(jsonText(text, 0)).toBe(json);
});

it('is a document of several lines, or one line', () => {
  expect(jsonText({ a: [1] })).toBe('{\n  "a": [\n    1\n  ]\n}\n');
  expect(jsonText({ a: [1] }, 0)).toBe('{"a":[1]}');
});

it('reads back as it was, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(JSON.parse(jsonText({ [text]: text }))).toEqual({ [text]: text });
    }),
    { seed: 12 },
  );
});
