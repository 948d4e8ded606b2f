import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { streamProtocolJsonSchema } from '../../src/dialects/mapping-schema.ts';
import { readMapping, shippedMappings } from '../../src/dialects/read-mapping.ts';
import { SpeechfbError } from '../../src/errors.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const scratch = temporaryDirectory();

const good = `apiVersion: speechfb.dev/v1alpha1
kind: StreamProtocol
metadata: { name: acme }
spec:
  audio: { as: binary }
  utteranceOver: [{ send: { type: flush } }]
  receive:
    - { when: { type: partial }, is: partial, text: /text }
    - { when: { type: final }, is: final, text: /text }
`;

describe('the shipped mappings', () => {
  const published: object = JSON.parse(readFileSync('schemas/protocol.schema.json', 'utf8'));

  it('have a JSON Schema that is current', () => {
    expect(published).toEqual(JSON.parse(JSON.stringify(streamProtocolJsonSchema())));
  });

  it.each(shippedMappings)('%s is read, and fits the JSON Schema', (name) => {
    expect(readMapping(name).metadata.name).toBe(name);
    const validate = new Ajv2020({ strict: false }).compile(published);
    expect(
      validate(parse(readFileSync(join('protocols', `${name}.yaml`), 'utf8'))),
      JSON.stringify(validate.errors),
    ).toBe(true);
  });
});

describe('a mapping with a mistake says so at its line:', () => {
  it.each<[string, [from: string, to: string], string]>([
    ['nothing is final', ['is: final', 'is: partial'], ':8:5: spec.receive: has no rule that is final'],
    ['a rule for everything', ['{ when: { type: partial }, is', '{ is'], ':8:7: spec.receive.0: matches every message'],
    ['one rule twice', ['type: final', 'type: partial'], ':9:7: spec.receive.1: is never reached: spec.receive.0'],
    [
      'a rule behind a wider one',
      ['when: { type: final }', 'when: { type: partial, end: true }'],
      'spec.receive.1: is never reached',
    ],
    [
      'one field compared twice',
      ['{ type: final }', '{ type: final, /type: end }'],
      'compares /type twice: it would match nothing',
    ],
    [
      'no pointer',
      ['text: /text }\n    - { when: { type: final', 'text: text }\n    - { when: { type: final'],
      '"text" is no JSON Pointer',
    ],
    ['a bad escape', ['is: final, text: /text', 'is: final, text: /a~2'], '"/a~2" is no JSON Pointer'],
    [
      'a pointer through a literal',
      ['is: final, text: /text', 'is: final, text: /type/0'],
      '/type/0 leads nowhere: /type is a literal',
    ],
    [
      'a variable that nobody fills in',
      ['type: flush', 'type: "{lang}"'],
      'acme.yaml:6:35: spec.utteranceOver.0.send.type: {lang} is not filled in here',
    ],
    [
      'a partial that shows nothing',
      ['is: partial, text: /text', 'is: partial'],
      'is partial and has neither text nor words',
    ],
    [
      'a field of another kind of rule',
      ['is: partial, text: /text', 'is: partial, text: /text, message: /m'],
      'is for rules that are error; this one is partial',
    ],
    [
      'an end that is not final',
      ['is: partial, text: /text', 'is: partial, text: /text, ends: true'],
      'is for rules that are final',
    ],
    ['an ack that says nothing', ['is: partial, text: /text', 'is: ack'], 'is an ack without coversTo'],
    ['base64 nowhere', ['as: binary', 'as: base64'], 'has no in: where in the message'],
    [
      'base64 in the way of something',
      ['as: binary', 'as: base64, of: { type: audio }, in: /type'],
      '/type has no place in audio.of',
    ],
    [
      'base64 below a literal',
      ['as: binary', 'as: base64, of: { type: audio }, in: /type/data'],
      '/type/data has no place',
    ],
    [
      'a session in every message of sound',
      ['as: binary', 'as: base64, of: { id: "{session}" }, in: /audio'],
      '{session} is not filled in here',
    ],
    [
      'parts of base64 around binary',
      ['as: binary', 'as: binary, in: /audio'],
      'is for base64; a binary message is the sound alone',
    ],
    [
      'two ways to reach',
      ['receive:', 'reach: replies\n  receive:\n    - { when: { type: t }, is: ack, coversTo: /t }'],
      'spec.reach: contradicts coversTo',
    ],
    ['a step that does nothing', ['{ send: { type: flush } }', '{}'], 'has neither; write one of send, silence'],
    ['a step that does two things', ['{ send: { type: flush } }', '{ send: a, silence: 1s }'], 'has both'],
    ['an odd rate', ['as: binary', 'sampleRate: 16001'], 'is no multiple of 50 Hz'],
    ['a condition of nothing', ['{ type: partial }', '{}'], 'spec.receive.0.when: is empty'],
    ['no rules', ['receive:', 'receive: []\n  unknown:'], 'nothing that the server says would be understood'],
    ['another kind', ['kind: StreamProtocol', 'kind: LoadScenario'], 'has no StreamProtocol; it has LoadScenario acme'],
    ['no JSON with pointers', ['when: { type: final }', 'when: "Done!"'], 'is for a message that is no JSON'],
  ])('%s', (_, [from, to], sentence) => {
    expect(good).toContain(from);
    expect(problemsOf(good.replace(from, to))).toContain(sentence);
  });

  it('and is read without one', () => {
    expect(problemsOf(good)).toBe('');
  });
});

function problemsOf(text: string): string {
  try {
    const file = join(scratch, 'acme.yaml');
    writeFileSync(file, text);
    readMapping(file);
    return '';
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    return [error.message, ...(error.problems ?? []).map(({ where, message }) => `${where}: ${message}`)].join('\n');
  }
}
