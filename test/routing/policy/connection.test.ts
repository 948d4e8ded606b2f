import { expect, it } from 'vitest';
import { parseDocuments } from '../../../src/config/documents.ts';
import { routingPolicy } from '../../../src/routing/policy/policy.ts';
import { problemsOf } from '../../kit/problems.ts';

/** A policy of one backend, which stands in line 4. */
const lineOf = (backend: string) => `    - {name: it, price: $0/min, ${backend}}`;
const read = (backend: string) =>
  parseDocuments(
    'p.yaml',
    `kind: RoutingPolicy\nspec:\n  backends:\n${lineOf(backend)}\n  rules:\n    - {name: all, to: {it: 100%}}\n`,
    'RoutingPolicy',
    routingPolicy,
  )[0]!.value.spec.backends[0];

it.each<[string, string, object]>([
  ['nothing, as its vendor is known', 'kind: deepgram', {}],
  [
    'a place, a key and a model',
    "kind: deepgram, url: 'wss://speech.example', apiKey: '${env:KEY}', model: nova-3, sampleRate: 8000, ca: own.pem",
    { url: 'wss://speech.example', apiKey: '${env:KEY}', model: 'nova-3', sampleRate: 8000, ca: 'own.pem' },
  ],
  ['a place that the environment knows', "kind: openai-realtime, url: '${env:PLACE}'", { url: '${env:PLACE}' }],
  [
    'a password that the environment knows',
    "kind: deepgram, url: 'wss://${env:USER}:${env:WORD}@speech.example?token=${env:TOKEN}&keywords=cat'",
    { url: 'wss://${env:USER}:${env:WORD}@speech.example?token=${env:TOKEN}&keywords=cat' },
  ],
  ['a key in a file', "kind: http-batch, apiKey: '${file:key.txt}'", { apiKey: '${file:key.txt}' }],
  ['a second request', 'kind: http-batch, url: http://127.0.0.1:80, hedgeAfter: 1.5s', { hedgeAfter: 1500 }],
  ['a directory', 'kind: sherpa-onnx, directory: model', { directory: 'model' }],
  [
    'a script',
    'kind: scripted, script: {says: [{at: 1s, text: a}], faults: [{kind: hang, from: 1m, for: 5s, share: 20%}]}',
    {
      script: {
        says: [{ at: 1000, text: 'a' }],
        word: 400,
        delay: 100,
        faults: [{ kind: 'hang', from: 60_000, for: 5000, share: 0.2, as: 'fault', by: 5000 }],
      },
    },
  ],
])('a connection may have %s', (_, backend, expected) => {
  expect(read(backend)).toMatchObject(expected);
});

it.each([
  [
    'a key in the file itself',
    "kind: deepgram, apiKey: 'sk-1234'",
    "'sk-1234'",
    'apiKey: is a secret, which no file should hold; write ${env:NAME} or ${file:PATH}',
  ],
  ['a key that a shell would fill in', "kind: deepgram, apiKey: '${KEY}'", "'${KEY}'", 'is a secret'],
  [
    'a URL that no WebSocket has',
    "kind: deepgram, url: 'https://speech.example'",
    "'https:",
    'url: "https://speech.example" is no URL for deepgram; allowed: ws://host:port, wss://host:port',
  ],
  [
    'a URL that no HTTP has',
    "kind: http-batch, url: 'wss://speech.example'",
    "'wss:",
    'is no URL for http-batch; allowed: http://host:port, https://host:port',
  ],
  [
    'what is for another kind',
    'kind: scripted, model: nova-3',
    'nova-3',
    'model: is for backends of kind deepgram, openai-realtime, http-batch, local; this is scripted',
  ],
  [
    'a second request of a stream',
    'kind: deepgram, hedgeAfter: 1s',
    '1s',
    'hedgeAfter: is for backends of kind http-batch; this is deepgram',
  ],
  [
    'a script of what is no script',
    'kind: deepgram, script: {}',
    '{}',
    'script: is for backends of kind scripted; this is deepgram',
  ],
  ['a rate that nobody has', 'kind: deepgram, sampleRate: 16001', '16001', 'sampleRate: is no multiple of 50 Hz'],
  [
    'an unknown fault',
    'kind: scripted, script: {faults: [{kind: hnag}]}',
    'hnag',
    'allowed: refuse, ignore, hang, cut, rubbish, slow',
  ],
  ['a script that says nothing', 'kind: scripted, script: {says: []}', '[]', 'is empty; say something'],
  [
    'a password in its place',
    "kind: deepgram, url: 'wss://me:sk-1234@speech.example'",
    "'wss:",
    'url: "wss://***@speech.example" holds a password or a key, which no file should; write ${env:NAME} in its place',
  ],
  [
    'a key in the query of its place',
    "kind: http-batch, url: 'https://speech.example/v1?model=a&api_key=sk-1234'",
    "'https:",
    'api_key=***" holds a password or a key',
  ],
  [
    'a key behind its place',
    "kind: deepgram, url: 'wss://speech.example/#sk-1234'",
    "'wss:",
    'holds a password or a key',
  ],
  [
    'a password in what is no place',
    "kind: deepgram, url: 'https://me:sk-1234@speech.example'",
    "'https:",
    'holds a password or a key',
  ],
  ['a place that is none', "kind: deepgram, url: 'wss://a b/'", "'wss:", '"wss://a b/" is no URL for deepgram'],
  [
    'an authority where nothing is signed',
    "kind: deepgram, url: 'ws://127.0.0.1:80', ca: own.pem",
    'own.pem',
    'ca: signs certificates, and "ws://127.0.0.1:80" has none; write wss://',
  ],
  ['no directory', 'kind: sherpa-onnx', '{name', 'directory: is missing; write the directory of its streaming model'],
  ['a misspelt key', "kind: deepgram, apikey: '${env:KEY}'", 'apikey', 'apiKey'],
])('a connection may not have %s', (_, backend, at, sentence) => {
  const problems = problemsOf(() => read(backend));
  expect(problems).toContain(`p.yaml:4:${lineOf(backend).indexOf(at) + 1}: `);
  expect(problems).toContain(sentence);
  expect(problems).not.toContain('sk-1234');
});
