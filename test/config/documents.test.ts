import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseDocuments } from '../../src/config/documents.ts';
import { problemsOf } from '../kit/problems.ts';

const schema = z.strictObject({
  kind: z.string(),
  metadata: z.object({ name: z.string() }),
  spec: z.object({ a: z.number() }),
});
const document = (name: string, kind = 'LatencyBudget', a = '1') =>
  `kind: ${kind}\nmetadata: { name: ${name} }\nspec: { a: ${a} }\n`;
const read = (text: string) => parseDocuments('f.yaml', text, 'LatencyBudget', schema);

const bomb = [
  'kind: LatencyBudget',
  'a: &a0 [x]',
  ...Array.from({ length: 9 }, (_, i) => `b${i}: &a${i + 1} [${`*a${i},`.repeat(9)}]`),
].join('\n');

describe('documents of one kind', () => {
  it('are found among others, each knowing its places', () => {
    const found = read([document('x', 'ServiceLevel'), document('y'), document('z')].join('---\n'));
    expect(found.map(({ name }) => name)).toEqual(['y', 'z']);
    expect(found.map(({ at }) => at(['spec', 'a']))).toEqual(['f.yaml:7:12', 'f.yaml:11:12']);
    expect(found[0]!.at(['spec', 'nowhere'])).toBe('f.yaml:7:7');
  });

  it.each([
    ['behind the last', `${document('y')}---\n`],
    ['behind the last, with a comment', `${document('y')}---\n# nothing more\n`],
    ['before the first', `---\n${document('y')}`],
    ['before the first, twice, with a comment', `# ours\n---\n# still nothing\n---\n${document('y')}`],
    ['in the middle', `${document('y')}---\n---\n${document('z', 'ServiceLevel')}`],
    ['as an end', `${document('y')}...\n`],
  ])('may have a marker %s', (_, text) => {
    expect(read(text).map(({ name }) => name)).toEqual(['y']);
  });

  it.each([
    ['nothing', '', 'f.yaml:1:1: is empty; write a document of kind LatencyBudget'],
    ['a comment alone', '# soon\n', 'is empty'],
    ['other kinds only', document('x', 'ServiceLevel'), 'has no LatencyBudget; it has ServiceLevel x'],
    [
      'two of one name',
      `${document('x')}---\n${document('x')}`,
      'f.yaml:6:19: metadata.name: a LatencyBudget "x" already stands at f.yaml:2:19',
    ],
    [
      'a kind misspelt',
      document('x', 'LatncyBudget'),
      'f.yaml:1:7: kind: "LatncyBudget" is not allowed (did you mean "LatencyBudget"?)',
    ],
    ['no kind', 'spec: {}', 'kind: is missing; allowed: LoadScenario'],
    ['no mapping', '- a', 'kind: is missing'],
    ['broken YAML', 'kind: [', 'f.yaml:1:8: '],
    [
      'an alias of nothing',
      document('x', 'LatencyBudget', '*b'),
      'f.yaml:3:12: *b names no anchor; write &b before it',
    ],
    ['a bomb of aliases', bomb, 'f.yaml:1:1: cannot be read as a value: its *names make a small file huge'],
    [
      'one key twice',
      document('x', 'LatencyBudget', '1, a: 2'),
      'f.yaml:3:15: the key "a" stands here a second time; keep one',
    ],
    [
      'a tag that nobody knows',
      document('x', 'LatencyBudget', '!sum 1'),
      'f.yaml:3:12: "!sum" is a tag that nobody knows',
    ],
    ['text for a number', document('x', 'LatencyBudget', 'no'), 'spec.a: "no" is not a number'],
    [
      'a missing field',
      'kind: LatencyBudget\nmetadata: { name: x }\nspec: {}',
      'f.yaml:3:7: spec.a: is missing; write a number',
    ],
  ])('refuses %s', (_name, text, message) => expect(problemsIn(text)).toContain(message));

  it('takes what a merge key brings along', () => {
    const text = 'kind: LatencyBudget\nmetadata: { name: x }\nspec: { <<: { a: 4 } }\n';
    expect(read(text).map(({ value }) => value.spec)).toEqual([{ a: 4 }]);
  });

  it('has the problems of every document at once', () => {
    const text = [document('x', 'LatencyBudget', 'no'), document('y', 'LatencyBudget', 'yes'), 'kind: Pod'].join(
      '---\n',
    );
    expect(problemsIn(text).match(/f\.yaml:\d+:\d+/g)).toEqual(['f.yaml:3:12', 'f.yaml:7:12', 'f.yaml:9:7']);
  });

  it('counts the complaints that follow from one slip', () => {
    const text = '{"a":1}\n{"b":2}\n'.repeat(20);
    expect(problemsIn(text)).toMatch(/and \d+ more, which may follow from these/);
  });
});

it('one name may stand for documents of different kinds', () =>
  expect(read(`${document('x', 'ServiceLevel')}---\n${document('x')}`)).toHaveLength(1));

function problemsIn(text: string): string {
  return problemsOf(() => read(text));
}
