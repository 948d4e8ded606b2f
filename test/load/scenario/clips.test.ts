import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { toS16le } from '../../../src/audio/pcm.ts';
import { SoundFrames } from '../../../src/client/frames.ts';
import { readToken } from '../../../src/client/token.ts';
import { readClips, speechBegin } from '../../../src/load/scenario/clips.ts';
import { problemsOf } from '../../kit/problems.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const directory = temporaryDirectory();

describe('the clips of a manifest', () => {
  it('are those with a text, as 16-bit PCM at their own rate', () => {
    const clips = readClips('fixtures/audio/manifest.jsonl');
    expect(clips.length).toBeGreaterThanOrEqual(12);
    for (const { pcm, durationMs, sampleRateHz, speechBeginMs, text } of clips) {
      expect(pcm.length).toBeCloseTo((durationMs * sampleRateHz * 2) / 1000, 3);
      expect(speechBeginMs).toBeLessThan(durationMs);
      expect(text).toMatch(/\w/);
    }
  });

  it('that are bad are all reported, each at its line', () => {
    const file = write('bad.jsonl', '{"id":"a"}\n\nnot json\n{"id":"b","audio":"none.wav","text":"b"}\n');
    const said = problemsOf(() => readClips(file));
    expect(said).toContain('bad.jsonl:1: audio: ');
    expect(said).toContain('bad.jsonl:3: is not JSON: "not json"');
    expect(said).toMatch(/bad\.jsonl:4: .*none\.wav/);
  });

  it('whose words have times that cannot be are told so at the line and column of each', () => {
    const wav = resolve('fixtures/audio/busy.wav');
    const words = '"words": [{"text": "a", "end_ms": 900}, {"text": "b", "end_ms": 300}]';
    const bad = '"words": [{"text": "a", "end_ms": -1}, {"end_ms": 300}]';
    const line = (id: string, given: string) => `{"id": "${id}", "audio": "${wav}", "text": "a b", ${given}}\n`;
    const file = write('times.jsonl', line('x', words) + line('y', bad));
    const said = problemsOf(() => readClips(file));
    const column = (text: string, of: string) => line(text === words ? 'x' : 'y', text).indexOf(of) + 1;
    expect(said).toContain(`times.jsonl:1:${column(words, '300')}: words.1.end_ms: 300 ms is before the word ahead`);
    expect(said).toContain(`times.jsonl:2:${column(bad, '-1')}: words.0.end_ms: -1 is not at least 0`);
    expect(said).toContain(`times.jsonl:2:${column(bad, '{"end_ms": 300')}: words.1.text: is missing`);
  });

  it.each([
    ['an empty manifest', write('empty.jsonl', ''), 'has no clip with a text'],
    ['a missing one', 'none.jsonl', 'cannot read the clip manifest "none.jsonl"'],
  ])('%s is an error', (_, file, sentence) => {
    expect(problemsOf(() => readClips(file))).toContain(sentence);
  });
});

it.each([
  [0, 0],
  [0.5, 16_384],
  [-1, -32_768],
  [1, 32_767],
  [7, 32_767],
])('the sample %f is %i in 16 bits', (sample, expected) => {
  const bytes = toS16le(Float32Array.of(sample));
  expect(new DataView(bytes.buffer).getInt16(0, true)).toBe(expected);
});

it.each([
  ['silence begins at once', () => 0, 0],
  ['a tone after 100 ms of quiet begins there', (i: number) => (i < 1600 ? 0.0001 : 0.5), 100],
])('speech: %s', (_, sample, expected) => {
  expect(
    speechBegin(
      Float32Array.from({ length: 8000 }, (_, i) => sample(i)),
      16_000,
    ),
  ).toBe(expected);
});

it('frames cover a recording whole, the last one filled up with silence', () => {
  const sound = new SoundFrames({ pcm: new Uint8Array(1500).fill(9), sampleRateHz: 16_000 }, 20);
  expect(sound.count).toBe(3);
  const { payload, crc32 } = sound.at(2);
  expect(payload).toHaveLength(640);
  expect([payload[219], payload[220]]).toEqual([9, 0]);
  expect(crc32).toBe(zlibCrc32(payload));
  expect(sound.at(2)).toBe(sound.at(2));
});

it.each([
  ['a bare token', 'secret\n', 'secret'],
  ["a line of the server's file", 'app-1  secret\nother x\n', 'secret'],
])('a token file with %s', (_, content, token) => {
  expect(readToken(write('token', content))).toBe(token);
});

it.each([
  ['empty', write('no-token', '\n'), 'should hold a token'],
  ['missing', 'none.token', 'cannot read the token file "none.token"'],
])('a token file that is %s is an error', (_, file, sentence) => {
  expect(() => readToken(file)).toThrow(sentence);
});

function write(name: string, content: string): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}
