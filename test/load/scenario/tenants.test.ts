import { describe, expect, it } from 'vitest';
import { tenantsFor } from '../../../src/commands/loadtest/tenants.ts';
import { parseConfig } from '../../../src/config/yaml.ts';
import { loadScenario } from '../../../src/load/scenario/scenario.ts';
import { readTenants } from '../../../src/server/tenants/read-tenants.ts';
import { problemsOf } from '../../kit/problems.ts';

const two = '[{ name: a, weight: 80%, maxSessions: 4 }, { name: b, weight: 20% }]';

describe('tenants of the embedded server', () => {
  it.each([
    ['that are none', '[]', 'lost_frames == 0', 'target.embedded.tenants: is empty'],
    ['that are no list', 'a', 'lost_frames == 0', 'target.embedded.tenants: is not a list such as'],
    [
      'of one name',
      '[{ name: a, weight: 1 }, { name: a, weight: 1 }]',
      'lost_frames == 0',
      'target.embedded.tenants.1.name: "a" is already entry 1',
    ],
    ['without a weight', '[{ name: a }]', 'lost_frames == 0', 'target.embedded.tenants.0.weight: is missing'],
    [
      'whose weights are no whole',
      '[{ name: a, weight: 80% }, { name: b, weight: 30% }]',
      'lost_frames == 0',
      'percentages must sum to 100%',
    ],
    [
      'with names that the server does not know',
      '[{ name: A B, weight: 1 }]',
      'lost_frames == 0',
      'is no name of a tenant',
    ],
    [
      'of whom an objective knows another',
      two,
      'lost_frames{tenant=c} == 0',
      'selects tenant=c, whom nobody belongs to (did you mean "a"?); allowed: a, b',
    ],
  ])('%s are refused', (_, tenants, objective, problem) => {
    expect(problemsOf(() => parse(`{ tenants: ${tenants} }`, objective))).toContain(problem);
  });

  it('that there are none of are no label', () => {
    expect(problemsOf(() => parse('{}', 'lost_frames{tenant=a} == 0'))).toContain(
      'selects tenant=a, whom nobody belongs to; there are none; write them in target.embedded.tenants',
    );
  });

  it('have tokens of their own', () => {
    expect(problemsOf(() => parse(`{ tenants: ${two} }`, 'lost_frames == 0', 'tokenFile: t, '))).toContain(
      'target.tokenFile: contradicts embedded.tenants, which have tokens of their own',
    );
  });

  it('are written as the server reads them, each with a token made for it', async () => {
    const { spec } = parse(`{ tenants: ${two} }`, 'lost_frames{tenant=A} == 0');
    const { file, tokens } = await tenantsFor(spec.target.embedded!.tenants!);
    const { tenants } = readTenants('tenants.yaml', file, undefined);
    expect(tenants.map(({ name, limits }) => [name, limits.maxSessions])).toEqual([
      ['a', 4],
      ['b', undefined],
    ]);
    expect(Object.keys(tokens)).toEqual(['a', 'b']);
    expect(file).not.toContain(tokens.a);
  });
});

function parse(embedded: string, objective: string, target = '') {
  const source = `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: x }
spec:
  target: { ${target}embedded: ${embedded} }
  learners: { clips: x.jsonl }
  load: { learners: 2 }
  duration: 10s
  objectives: ["${objective}"]
`;
  return parseConfig('x.yaml', source, loadScenario);
}
