import { expect, it } from 'vitest';
import { didYouMean } from '../src/suggest.ts';

const words = ['learners', 'load', 'duration', 'seed'];

it.each([
  ['a letter too few', 'lerners', ' (did you mean "learners"?)'],
  ['a letter too many', 'seeds', ' (did you mean "seed"?)'],
  ['two letters swapped', 'laod', ' (did you mean "load"?)'],
  ['another case', 'Duration', ' (did you mean "duration"?)'],
  ['a plural', 'loads', ' (did you mean "load"?)'],
  ['nothing like them', 'objectives', ''],
  ['nothing at all', '', ''],
])('%s: %s', (_, word, suggestion) => {
  expect(didYouMean(word, words)).toBe(suggestion);
});
