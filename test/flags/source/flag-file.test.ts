import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SpeechfbError } from '../../../src/errors.ts';
import { FileProvider } from '../../../src/flags/source/file-provider.ts';
import { readFlagFile } from '../../../src/flags/source/flag-file.ts';
import { policyOfValue } from '../../../src/flags/source/policy-value.ts';

const policy = (to: string) => ({
  kind: 'RoutingPolicy',
  spec: {
    backends: [
      { name: 'own', kind: 'scripted', price: '$0.0004/min' },
      { name: 'vendor', kind: 'scripted', price: '$0.01/min' },
    ],
    rules: [{ name: 'all', to: { [to]: '100%' } }],
  },
});
const flagd = (over: object = {}) =>
  JSON.stringify(
    {
      $schema: 'https://flagd.dev/schema/v0/flags.json',
      flags: {
        other: { state: 'ENABLED', variants: { on: true }, defaultVariant: 'on' },
        routing: {
          state: 'ENABLED',
          variants: { plain: policy('own'), europe: policy('vendor') },
          defaultVariant: 'plain',
          targeting: { if: [{ '==': [{ var: 'region' }, 'eu'] }, 'europe'] },
          ...over,
        },
      },
    },
    null,
    2,
  );

/** The text of a file below scenarios/; '' of what is none. */
function textIn(file: string): string {
  return file.endsWith('.yaml') ? readFileSync(join('scenarios', file), 'utf8') : '';
}

function problemsOf(text: string, flag = 'routing'): string[] {
  try {
    new FileProvider({ file: 'f.json', text, flag });
    return [];
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    return [error.message, ...error.problems.map(({ where, message }) => `${where}: ${message}`)];
  }
}

async function toOf(provider: FileProvider, region: string) {
  const { value } = await provider.resolveObjectEvaluation('routing', {}, { region });
  return Object.keys(policyOfValue(value, 'f').spec.rules[0]!.to)[0];
}

describe('a file of flags', () => {
  it('is told from a plain policy by what it says', () => {
    expect(readFlagFile('f', flagd(), 'routing').form).toBe('flagd');
    expect(readFlagFile('f', readFileSync('routing/default.yaml', 'utf8'), 'routing').form).toBe('policy');
    expect(readFlagFile('f', JSON.stringify(policy('own')), 'routing').form).toBe('policy');
  });

  it.each(
    readdirSync('scenarios', { encoding: 'utf8', recursive: true }).filter((file) =>
      /routing: \S+yaml/.test(textIn(file)),
    ),
  )('may hold other documents beside its policy, as scenarios/%s does', async (file) => {
    const provider = new FileProvider({ file, text: textIn(file), flag: 'routing' });
    const { value } = await provider.resolveObjectEvaluation('routing', {}, {});
    expect(policyOfValue(value, file).spec.rules.length).toBeGreaterThan(0);
    expect(value).toMatchObject({ kind: 'RoutingPolicy' });
  });

  it('gives the variant that flagd would, by its targeting', async () => {
    const provider = new FileProvider({ file: 'f.json', text: flagd(), flag: 'routing' });
    expect([await toOf(provider, 'us'), await toOf(provider, 'eu')]).toEqual(['own', 'vendor']);
  });

  it('takes another text up, and none that is not sound', async () => {
    const provider = new FileProvider({ file: 'f.json', text: flagd(), flag: 'routing' });
    expect(() => provider.replace(flagd({ defaultVariant: 'gone' }))).toThrow('f.json has a problem');
    expect(await toOf(provider, 'us')).toBe('own');
    provider.replace(flagd({ targeting: {}, defaultVariant: 'europe' }));
    expect(await toOf(provider, 'us')).toBe('vendor');
    provider.replace(JSON.stringify(policy('own')));
    expect(await toOf(provider, 'eu')).toBe('own');
  });

  it.each<[what: string, text: string, found: RegExp]>([
    [
      'a policy in a variant that is not sound, though it is not in force',
      flagd({ variants: { plain: policy('own'), europe: policy('vendro') } }),
      /f\.json:\d+:\d+: flags\.routing\.variants\.europe\.spec\.rules\.0\.to\.vendro: "vendro" is no backend \(did you mean "vendor"\?\)/,
    ],
    ['a variant that is no policy', flagd({ variants: { plain: true } }), /f\.json:14:\d+: .*plain/],
    [
      'a default that is no variant',
      flagd({ defaultVariant: 'plan' }),
      /defaultVariant: "plan" is no variant \(did you mean "plain"\?\); there are plain, europe/,
    ],
    ['a flag that is off', flagd({ state: 'DISABLED' }), /state: is DISABLED, and without the flag there is no policy/],
    ['a state of another', flagd({ state: 'ON' }), /state: "ON" is not allowed; allowed: ENABLED, DISABLED/],
    [
      'a targeting that is none',
      flagd({ targeting: { iff: 1 } }),
      /f\.json: the targeting of the flag "routing" is none that flagd reads/,
    ],
    ['no flag of that name', '{"flags": {"rooting": {}}}', /flags\.routing: is missing; write a flag with state/],
    ['nothing', '', /f\.json:1:1: is empty/],
    ['no JSON', '{"flags": {', /f\.json:1:\d+/],
    ['another kind', 'kind: Tenants\n', /kind: "Tenants" is not allowed/],
    ['flags that are none', 'flags: 3\n', /f\.json:1:8: flags: 3 is not a mapping of flags/],
    [
      'two policies',
      `${JSON.stringify(policy('own'))}\n---\n${JSON.stringify({ ...policy('own'), metadata: { name: 'b' } })}\n`,
      /f\.json has two policies/,
    ],
  ])('refuses %s at its place', (_, text, found) => {
    expect(problemsOf(text).join('\n')).toMatch(found);
  });
});

it('takes the policy of a file that has a scenario too, as load tests have it', () => {
  const file = 'scenarios/chaos/managed-hangs.yaml';
  const { json, form } = readFlagFile(file, readFileSync(file, 'utf8'), 'routing');
  expect(form).toBe('policy');
  expect(JSON.parse(json).flags.routing.variants.policy).toMatchObject({
    kind: 'RoutingPolicy',
    metadata: { name: 'managed-hangs' },
    spec: { backends: [{ name: 'own' }, { name: 'managed' }, { name: 'any' }] },
  });
});
