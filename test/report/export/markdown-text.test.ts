import { describe, expect, it } from 'vitest';
import { Markdown } from '../../../src/report/export/markdown-text.ts';

const md = Markdown.of;

describe('a text in Markdown means nothing', () => {
  it.each([
    ['a heading', '# big', '\\# big'],
    ['a list', '- one', '\\- one'],
    ['a numbered list', '1. one', '1\\. one'],
    ['a quotation', '> so', '\\> so'],
    ['a rule', '---', '\\---'],
    ['a line of its own', 'a\n# b', 'a\\\\n\\# b'],
    ['emphasis', '*a* __b__ ~~c~~', '\\*a\\* \\_\\_b\\_\\_ \\~\\~c\\~\\~'],
    ['mathematics', '$x$', '\\$x\\$'],
    ['a link', '[a](javascript:alert)', '\\[a\\](javascript:alert)'],
    ['a picture', '![a](b)', '!\\[a\\](b)'],
    ['a definition', '[a]: b', '\\[a\\]: b'],
    ['an element', '<img onerror=a>', '&lt;img onerror=a>'],
    ['the rest of an element', 'a <', 'a &lt;'],
    ['an entity', '&lt;b', '&amp;lt;b'],
    ['code', 'a `b` c', 'a \\`b\\` c'],
    ['an escape', '\\*', '\\\\\\*'],
    ['a column', 'a|b', 'a\\|b'],
    ['a mention', 'ask @everyone now', 'ask `@everyone` now'],
    ['a reference', 'closes #12', 'closes `#12`'],
    ['an address', 'see http://a.b/c?d', 'see `http://a.b/c?d`'],
    ['an address without a scheme', 'see www.a and a.example', 'see `www.a` and `a.example`'],
    ['a commit', 'of 0123abcd', 'of `0123abcd`'],
    ['an emoji', ':shipit:', '`:shipit:`'],
    ['all of them in one word', '@a`|<b', '`@a`\\`\\|&lt;`b`'],
  ])('%s', (_, text, shown) => {
    expect(String(md`${text}`)).toBe(shown);
  });

  it.each(['feedback_latency', 'p95 < 500 ms', '40.0 ms [40.0, 40.0]', '-5 ms', "the stages' own p95s; 12 % of 60"])(
    'and %s needs nothing',
    (text) => {
      expect(String(md`${text}`)).toBe(text);
    },
  );
});

it('takes the markup of the template and of other pieces as it is', () => {
  expect(String(md`**${'a*'}**: ${md`_${'b'}_`} ${3}`)).toBe('**a\\***: _b_ 3');
});

it.each([
  ['p95(x) < 500ms', '`p95(x) < 500ms`'],
  ['a`b', '`a`\\``b`'],
  ['a|b', '`a`\\|`b`'],
  ['<script>', '&lt;`script>`'],
  ['a\nb', '`a\\nb`'],
])('writes code %j so that nothing ends it', (text, shown) => {
  expect(String(Markdown.code(text))).toBe(shown);
});

it('keeps the cells of a table in it', () => {
  expect(String(Markdown.table(['a', 'b'], [['1 | 2', md`**${'x|'}**`]], (name) => name === 'a'))).toBe(
    '| a | b |\n| --- | --: |\n| 1 \\| 2 | **x\\|** |',
  );
});

it('joins pieces, and leaves out those that are empty', () => {
  expect(String(Markdown.join([md`a`, md``, Markdown.list([]), Markdown.list(['b', md`*c*`])], '\n\n'))).toBe(
    'a\n\n- b\n- *c*',
  );
});
