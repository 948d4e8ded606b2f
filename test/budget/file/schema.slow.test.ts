import fc from 'fast-check';
import { it } from 'vitest';
import { latencyBudget } from '../../../src/budget/file/schema.ts';
import { parseDocuments } from '../../../src/config/documents.ts';
import { problemsOf } from '../../kit/problems.ts';

it('whatever stands in the fields, the answer is a list of problems', () => {
  const field = fc.constantFrom('stages', 'objective', 'reserve', 'unattributed', 'correlation', 'whatIf', 'gate');
  const given = fc.dictionary(
    field,
    fc.oneof(
      fc.jsonValue(),
      fc.array(fc.dictionary(fc.constantFrom('name', 'of', 'changes', 'between', 'stage'), fc.jsonValue())),
    ),
  );
  fc.assert(
    fc.property(given, (spec) => problemsIn(JSON.stringify({ kind: 'LatencyBudget', spec })).includes('bad_config')),
  );
});

function problemsIn(text: string): string {
  return problemsOf(() => parseDocuments('b.yaml', text, 'LatencyBudget', latencyBudget));
}
