import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkConsent } from '../../../src/commands/loadtest/consent.ts';
import { parseConfig } from '../../../src/config/yaml.ts';
import { withOverrides } from '../../../src/load/scenario/overrides.ts';
import { loadScenario, readScenario } from '../../../src/load/scenario/scenario.ts';
import { problemsOf } from '../../kit/problems.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

describe('other servers of a service', () => {
  it('are reached at the path of ours, like the first', () => {
    const { spec } = parse('url: ws://127.0.0.1:1, alsoAt: [ws://127.0.0.1:2, "ws://127.0.0.1:3/own"]');
    expect(spec.target.alsoAt?.map(String)).toEqual(['ws://127.0.0.1:2/v1/stream', 'ws://127.0.0.1:3/own']);
  });

  it.each([
    [
      'without a first',
      'alsoAt: [ws://127.0.0.1:2]',
      'alsoAt: is for other servers than target.url, and there is none',
    ],
    [
      'reached in another way',
      'url: ws://127.0.0.1:1, alsoAt: [wss://127.0.0.1:2]',
      'alsoAt: has wss://127.0.0.1:2/, which is not reached as target.url ws://127.0.0.1:1/ is',
    ],
    ['that are no list', 'url: ws://127.0.0.1:1, alsoAt: ws://127.0.0.1:2', 'alsoAt: is not a list of URLs'],
    ['that are no URLs', 'url: ws://127.0.0.1:1, alsoAt: [here]', 'alsoAt.0: '],
    ['of another kind', 'url: ws://127.0.0.1:1, alsoAt: ["http://127.0.0.1:2"]', 'alsoAt.0: '],
  ])('%s are refused', (_, target, problem) => {
    expect(problemsOf(() => parse(target))).toContain(problem);
  });

  it('that belong to somebody else are loaded by nobody who may not', () => {
    const scenario = written('url: ws://127.0.0.1:1, alsoAt: [ws://speech.example.com]');
    expect(() => checkConsent(scenario, undefined)).toThrow('speech.example.com may belong to others');
    expect(() => checkConsent(written('url: ws://127.0.0.1:1, alsoAt: [ws://127.0.0.1:2]'), undefined)).not.toThrow();
  });

  it('are not asked when the command line says where to go', () => {
    const scenario = written('url: ws://127.0.0.1:1, alsoAt: [ws://127.0.0.1:2]');
    const { target } = withOverrides(scenario, { url: 'ws://127.0.0.1:9' }).scenario.spec;
    expect(`${target.url} ${target.alsoAt}`).toBe('ws://127.0.0.1:9/v1/stream undefined');
  });
});

function source(target: string): string {
  return `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: x }
spec:
  target: { ${target} }
  learners: { clips: x.jsonl }
  load: { learners: 2 }
  duration: 10s
  objectives: [availability >= 99%]
`;
}

function parse(target: string) {
  return parseConfig('x.yaml', source(target), loadScenario);
}

function written(target: string) {
  const file = join(temporaryDirectory(), 'x.yaml');
  writeFileSync(file, source(target).replace('x.jsonl', resolve('fixtures/audio/manifest.jsonl')));
  return readScenario(file);
}
