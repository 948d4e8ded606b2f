import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { createBackends } from '../../src/backends/create-backends.ts';
import { localBackend } from '../../src/backends/local.ts';
import { policySpec } from '../../src/routing/policy/spec.ts';
import { problemsOf } from '../kit/problems.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

afterEach(() => vi.unstubAllEnvs());

function create(backend: object, policyFile = 'policy.yaml') {
  const { backends } = policySpec.parse({
    backends: [{ name: 'it', price: '$0.01/min', ...backend }],
    rules: [{ name: 'all', to: { it: '100%' } }],
  });
  const local = (name: string) => localBackend(name, () => expect.fail('nobody speaks'));
  return createBackends(backends, { local, policyFile }).get('it')!;
}

it.each([
  ['local', {}],
  ['scripted', {}],
  ['deepgram', {}],
  ['openai-realtime', { sampleRate: 16_000 }],
  ['http-batch', { hedgeAfter: '2s' }],
])('makes a backend of kind %s, and connects to nothing yet', async (kind, more) => {
  const backend = create({ kind, maxSessions: 3, most: '$2/h', ...more });
  expect(backend).toMatchObject({ name: 'it', kind });
  expect(backend.hindrance()).toBeUndefined();
  expect(backend.status()).toMatchObject({ sessions: 0, maxSessions: 3, spent: 0, breaker: { state: 'closed' } });
  expect(backend.status().most).toBeCloseTo(2, 9);
  await backend.close();
  expect(backend.hindrance()).toEqual({ why: 'broken', message: 'it is closed' });
});

it.each([
  [
    'a variable that is not set',
    { apiKey: '${env:NO_SUCH_KEY}' },
    'backend it: the environment variable NO_SUCH_KEY is not set',
    'unset_variable',
  ],
  [
    'a variable that is empty',
    { apiKey: '${env:EMPTY_KEY}' },
    'backend it: the environment variable EMPTY_KEY is empty',
    'unset_variable',
  ],
  [
    'a key that no header carries',
    { apiKey: '${env:ODD_KEY}' },
    'backend it: what ${env:ODD_KEY} stands for is no key',
    'bad_token_file',
  ],
  ['a file that is not there', { apiKey: '${file:none.txt}' }, 'none.txt', 'unreadable_file'],
  ['an authority that is not there', { ca: 'none.pem' }, 'none.pem', 'unreadable_file'],
  ['a place that is none', { url: '${env:ODD_KEY}' }, 'is not a WebSocket URL', 'bad_url'],
])('refuses %s with a sentence, and quotes no secret', (_, fields, sentence, code) => {
  vi.stubEnv('EMPTY_KEY', '');
  vi.stubEnv('ODD_KEY', 'sesame 7f3a');
  const problems = problemsOf(() => create({ kind: 'deepgram', ...fields }, join(temporaryDirectory(), 'policy.yaml')));
  expect(problems).toContain(sentence);
  expect(problems).toContain(`[${code}]`);
  expect(problems).not.toContain('sesame');
});

it('says what a backend of sherpa-onnx lacks', () => {
  const nowhere = join(temporaryDirectory(), 'policy.yaml');
  expect(problemsOf(() => create({ kind: 'sherpa-onnx', directory: 'model' }, nowhere))).toContain('it is not there');
});

it('reads a key from a file beside the policy', () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'key.txt'), 'sesame-7f3a\n');
  expect(create({ kind: 'deepgram', apiKey: '${file:key.txt}' }, join(directory, 'policy.yaml')).kind).toBe('deepgram');
});
