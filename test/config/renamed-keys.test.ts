import { expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { renameKeys } from '../../src/config/renamed-keys.ts';

const renamed = [{ path: ['spec', 'old'], now: 'new' }];

it.each([
  ['an old key is renamed and reported where it stands', 'spec: { a: 1, old: 2 }', { a: 1, new: 2 }, [14]],
  ['an old key beside the new one is left to the schema', 'spec: { new: 1, old: 2 }', { new: 1, old: 2 }, []],
  ['the same word elsewhere is no old key', 'spec: { a: { old: 2 } }', { a: { old: 2 } }, []],
  ['no mapping where the key would be', 'spec: 5', 5, []],
])('%s', (_, text, spec, offsets) => {
  const document = parseDocument(text);
  const problems = renameKeys(document, renamed);
  expect(document.toJS().spec).toEqual(spec);
  expect(problems.map(({ offset }) => offset)).toEqual(offsets);
  expect(problems.every(({ message }) => message === 'spec.old: is called "new" now')).toBe(true);
});
