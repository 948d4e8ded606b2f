import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { mapped } from '../../src/dialects/mapped.ts';
import { readMapping } from '../../src/dialects/read-mapping.ts';
import { EncodedSound } from '../../src/dialects/sound.ts';
import { problemsOf } from '../kit/problems.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const session = { sampleRateHz: 16_000, language: 'de-DE', reference: { text: 'eins zwei' }, session: 'id-7' };

const proto = `syntax = "proto3";
package acme.v1;
import "google/protobuf/duration.proto";
service Ears {
  rpc Listen(stream Up) returns (stream Down);
  rpc Once(Up) returns (Down);
}
message Up {
  oneof what { Start start = 1; Chunk chunk = 2; }
}
message Start { int32 rate_hz = 1; string lang = 2; Mode mode = 3; repeated string hints = 4; map<string, string> more = 5; }
message Chunk { bytes pcm = 1; int64 number = 2; }
enum Mode { NONE = 0; FAST = 1; }
message Down {
  Mode mode = 1;
  repeated Line lines = 2;
  Oops oops = 3;
}
message Line { string text = 1; bool done = 2; google.protobuf.Duration heard = 3; repeated Word words = 4; }
message Word { string text = 1; int64 end_ms = 2; }
message Oops { string why = 1; int32 code = 2; }
`;

const mapping = `apiVersion: speechfb.dev/v1alpha1
kind: StreamProtocol
metadata: { name: acme }
spec:
  grpc: { proto: ./ears.proto, service: acme.v1.Ears, method: Listen }
  audio: { message: 100ms, of: { chunk: { number: 7 } }, in: /chunk/pcm }
  connect: { for: utterance, headers: { x-id: "{session}" } }
  open: [{ send: { start: { rate_hz: "{sampleRate}", lang: "{language}", mode: FAST, hints: ["{reference}"] } } }]
  utteranceOver: [{ halfClose: true }]
  receive:
    - { when: { /lines/0/done: true }, is: final, text: /lines/0/text, coversTo: /lines/0/heard, unit: s }
    - { has: /lines/0, is: partial, text: /lines/0/text, coversTo: /lines/0/heard, unit: s }
    - { has: /oops, is: error, message: /oops/why, code: /oops/code }
    - { when: { mode: [NONE, FAST] }, is: nothing }
`;

function read(yaml = mapping, text = proto) {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'ears.proto'), text);
  writeFileSync(join(folder, 'acme.yaml'), yaml);
  return readMapping(join(folder, 'acme.yaml'));
}

const types = protobuf
  .parse(proto, { keepCase: true })
  .root.addJSON(protobuf.common.get('google/protobuf/duration.proto')!.nested!);
const ups = types.lookupType('acme.v1.Up');
const downs = types.lookupType('acme.v1.Down');

describe('a mapping of gRPC', () => {
  const dialect = mapped(structuredClone(read()));
  const request = dialect.connect(session);
  const hear = (...messages: object[]) => {
    const speaker = dialect.speaker(session);
    speaker.opened();
    const sound = new EncodedSound({ pcm: new Uint8Array(6400), sampleRateHz: 16_000 }, dialect.audio, 100);
    speaker.audio(sound, 0);
    speaker.utteranceOver();
    const heard = messages.flatMap((message) => {
      const bytes = downs.encode(downs.fromObject(message)).finish();
      return speaker.heard(request.grpc!.decode(bytes) ?? bytes);
    });
    return { heard, ended: speaker.ended?.() };
  };

  it('calls its method, with metadata', () => {
    expect(dialect.carrier).toBe('grpc');
    expect(request).toMatchObject({ headers: { 'x-id': 'id-7' }, grpc: { path: '/acme.v1.Ears/Listen' } });
  });

  it('sends its messages, with variables, and the sound in its field', () => {
    const [first] = dialect.speaker(session).opened();
    const sent = ups.toObject(ups.decode(request.grpc!.encode(JSON.parse(`${first}`))), { enums: String });
    expect(sent).toEqual({ start: { rate_hz: 16_000, lang: 'de-DE', mode: 'FAST', hints: ['eins zwei'] } });
    const pcm = Uint8Array.from({ length: 6400 }, (_, place) => place % 251);
    const message = new EncodedSound({ pcm, sampleRateHz: 16_000 }, dialect.audio, 100).at(1) as Uint8Array;
    const { chunk } = ups.toObject(ups.decode(message), { longs: Number });
    expect(chunk.number).toBe(7);
    expect(Uint8Array.from(chunk.pcm)).toEqual(pcm.subarray(3200));
  });

  it('closes its half behind the sound, and has a final when the stream ends', () => {
    const speaker = dialect.speaker(session);
    speaker.opened();
    expect(speaker.utteranceOver()).toEqual([{ halfClose: true }]);
    const { heard, ended } = hear(
      { lines: [{ text: 'eins', heard: { seconds: 1, nanos: 5e8 } }] },
      { lines: [{ text: 'eins', done: true, heard: { seconds: 2 } }] },
      { lines: [{ text: 'zwei', done: true, heard: { seconds: 3 } }] },
    );
    expect(heard).toMatchObject([
      { is: 'partial', text: 'eins', settled: 0, coversMs: 1500 },
      { is: 'partial', text: 'eins', settled: 4, coversMs: 2000 },
      { is: 'partial', text: 'eins zwei', settled: 9, coversMs: 3000 },
    ]);
    expect(ended).toEqual({ is: 'final', utterance: 0, text: 'eins zwei', settled: 9 });
  });

  it('has no final of a stream that ends with text that was not settled, or with none', () => {
    expect(hear().ended).toBeUndefined();
    expect(hear({ lines: [{ text: 'eins' }] }).ended).toBeUndefined();
    expect(hear({ lines: [{ text: 'eins', done: true }] }, { lines: [{ text: 'zw' }] }).ended).toBeUndefined();
  });

  it('takes what is absent for absent, and defaults for what they are', () => {
    expect(hear({}, { oops: { why: 'full', code: 3 } }).heard).toEqual([
      { is: 'nothing' },
      { is: 'error', message: 'full', code: '3' },
    ]);
  });

  it('finds what its .proto imports beside it, above it, and in what everybody has', () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, 'acme/v1'), { recursive: true });
    const [head = '', words = ''] = proto.split(/^(?=message Word)/m);
    writeFileSync(join(folder, 'acme/v1/words.proto'), `syntax = "proto3";\npackage acme.v1;\n${words}`);
    writeFileSync(join(folder, 'acme/v1/ears.proto'), head.replace('import', 'import "acme/v1/words.proto";\nimport'));
    writeFileSync(join(folder, 'acme.yaml'), mapping.replace('./ears.proto', 'acme/v1/ears.proto'));
    expect(readMapping(join(folder, 'acme.yaml')).call).toMatchObject({ response: 'acme.v1.Down' });
  });
});

describe('a mapping of gRPC with a mistake says so at its line:', () => {
  it.each<[string, [from: string, to: string], string]>([
    ['no .proto', ['./ears.proto', './mouth.proto'], ':5:18: spec.grpc.proto: "./mouth.proto" is not there'],
    [
      'another service',
      ['acme.v1.Ears', 'acme.v1.Eras'],
      'spec.grpc.service: "acme.v1.Eras" is no service of ./ears.proto (did',
    ],
    ['another method', ['method: Listen', 'method: Lisen'], 'is no method of acme.v1.Ears'],
    [
      'a method that does not stream',
      ['method: Listen', 'method: Once'],
      '"Once" does not stream both ways; allowed: Listen',
    ],
    [
      'sound that is no bytes',
      ['in: /chunk/pcm', 'in: /chunk/id'],
      ':6:62: spec.audio.in: /chunk/id leads nowhere: Chunk has no field id',
    ],
    ['sound in text', ['in: /chunk/pcm', 'in: /start/lang'], 'spec.audio.in: /start/lang is no field of bytes'],
    ['sound nowhere', [', in: /chunk/pcm', ''], 'has no in: where in the message the sound stands'],
    ['sound as on a WebSocket', ['message: 100ms', 'as: base64, message: 100ms'], 'is for a WebSocket'],
    [
      'a field that is not there',
      ['lang: "{l', 'tongue: "{l'],
      ':8:62: spec.open.0.send.start.tongue: Start has no field tongue; allowed: rate_hz',
    ],
    ['a number in a text', ['lang: "{language}"', 'lang: 5'], 'spec.open.0.send.start.lang: is no text'],
    ['a text in a number', ['"{sampleRate}"', 'fast'], 'spec.open.0.send.start.rate_hz: is no number'],
    ['a value that an enum lacks', ['mode: FAST,', 'mode: SLOW,'], '"SLOW" is no Mode; allowed: NONE, FAST'],
    ['no list', ['["{reference}"]', '"{reference}"'], 'spec.open.0.send.start.hints: is no list'],
    [
      'a text for a message',
      ['{ send: { start', '{ send: "hello" }, { send: { start'],
      'over gRPC a message is a mapping',
    ],
    [
      'a pointer into nowhere',
      ['is: final, text: /lines/0/text', 'is: final, text: /lines/0/txt'],
      'spec.receive.0.text: /lines/0/txt leads nowhere: Line has no field txt',
    ],
    [
      'a list that is not entered',
      ['is: final, text: /lines/0/text', 'is: final, text: /lines/text'],
      'lines is a list, which is entered by a number',
    ],
    ['a condition on an enum', ['[NONE, FAST]', '[NONE, QUICK]'], 'spec.receive.3.when: /mode is never "QUICK"'],
    ['a condition on text', ['{ has: /oops,', '{ when: "bye",'], 'is a text; over gRPC a condition is on fields'],
    ['a path', ['connect: {', 'connect: { path: /x,'], 'spec.connect.path: is for a WebSocket'],
    ['a stream for a session', ['for: utterance', 'for: session'], 'ends the stream, and connect.for is session'],
    [
      'something behind the end',
      ['[{ halfClose: true }]', '[{ halfClose: true }, { silence: 1s }]'],
      'is not the last step',
    ],
    ['an end before the sound', ['  utteranceOver: [{', '  utteranceBegin: [{'], 'closes the stream before the sound'],
    ['an end of a WebSocket', [/ {2}grpc.*\n/.exec(mapping)![0], ''], 'halfClose: is for grpc'],
  ])('%s', (_, [from, to], sentence) => {
    expect(mapping).toContain(from);
    expect(problemsOf(() => read(mapping.replace(from, to)))).toContain(sentence);
  });

  it.each<[string, [from: string, to: string], string]>([
    [
      'a word too much',
      ['int32 rate_hz', 'int32 int32 rate_hz'],
      'ears.proto:11: "rate_hz" is not expected here: = is due',
    ],
    ['no number', ['bytes pcm = 1', 'bytes pcm = one'], 'ears.proto:12: "one" is not expected here'],
    ['an end too early', [proto.slice(-60), ''], 'ends too early'],
    ['a type that is not there', ['Oops oops', 'Ouch oops'], 'ears.proto:17: oops: there is no type Ouch'],
    ['a name twice', ['message Oops', 'message Word'], 'Word is there twice'],
    ['a number twice', ['bool done = 2', 'bool done = 1'], 'ears.proto:19: the number 1 is used twice'],
    [
      'an import that is not there',
      ['google/protobuf/duration', 'acme/more'],
      'ears.proto:3: "acme/more.proto" is not there',
    ],
    ['no .proto at all', [proto, '\u0000{}'], 'ears.proto:1: '],
    [
      'a request that is not there',
      ['Listen(stream Up)', 'Listen(stream Upp)'],
      'ears.proto:5: Listen: there is no type Upp',
    ],
  ])('%s, in its .proto', (_, [from, to], sentence) => {
    expect(proto).toContain(from);
    const said = problemsOf(() => read(mapping, proto.replace(from, to)));
    expect(said).toContain(sentence);
    expect(said).not.toMatch(/illegal|no such|duplicate/);
  });
});
