import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HearingText } from '../../src/backends/backend.ts';
import { findSherpaModel } from '../../src/backends/sherpa/model.ts';
import { sherpaOnnx } from '../../src/backends/sherpa.ts';
import { problemsOf } from '../kit/problems.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

/** A directory of empty files. */
function directoryOf(...files: readonly string[]): string {
  const directory = temporaryDirectory();
  for (const file of files) writeFileSync(join(directory, file), '');
  return directory;
}

const transducer = ['tokens.txt', 'encoder.onnx', 'decoder.onnx', 'joiner.onnx'];

/**
 * A module with the part of sherpa-onnx-node's interface that is used: it says a word each 200 ms of sound that it is
 * given, and dies of a sample that is 1.
 */
const standIn = `
class Stream {
  constructor() { this.seconds = 0; this.decoded = 0; }
  acceptWaveform({ samples, sampleRate }) {
    if (samples.includes(1)) throw new Error('the stand-in has died');
    if (samples.some((sample) => sample !== 0)) this.seconds += samples.length / sampleRate;
  }
  inputFinished() {}
}
exports.OnlineRecognizer = class {
  constructor({ modelConfig }) {
    if (!modelConfig.tokens.endsWith('tokens.txt')) throw new Error('no tokens');
  }
  createStream() { return new Stream(); }
  isReady(stream) { return stream.decoded < Math.floor(stream.seconds / 0.2 + 1e-6); }
  decode(stream) { stream.decoded += 1; }
  getResult(stream) {
    const tokens = [' one', ' tw', 'o', ' three'].slice(0, stream.decoded);
    return { text: tokens.join(''), tokens, timestamps: tokens.map((_, index) => index * 0.2) };
  }
};`;

function start(source = standIn) {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'stand-in.cjs'), source);
  const backend = sherpaOnnx({
    name: 'it',
    directory: directoryOf(...transducer),
    package: join(directory, 'stand-in.cjs'),
  });
  onTestFinished(() => backend.close());
  return backend;
}

/** Opens a hearing, and waits for what it tells. */
function hear(backend: ReturnType<typeof start>) {
  const texts: HearingText[] = [];
  const told: string[] = [];
  let wake: () => void = () => {};
  const tell = (what: string): void => {
    told.push(what);
    wake();
  };
  const hearing = backend.open(
    { session: 's', language: 'en', sampleRateHz: 16_000 },
    {
      onReady: () => tell('ready'),
      onText: (text) => {
        texts.push(text);
        tell(`${text.isFinal ? 'final' : 'text'} ${text.utterance} ${text.text}`);
      },
      onError: ({ class: of, message }) => tell(`${of} ${message}`),
    },
  );
  const until = async (enough: () => boolean): Promise<void> => {
    while (!enough()) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { hearing, told, texts, until };
}

function speak(hearing: ReturnType<typeof hear>['hearing'], fromMs: number): void {
  const pcm = new Int16Array(320);
  for (let frame = 0; frame < 40; frame++) {
    pcm.fill(9000);
    hearing.push(pcm, fromMs + frame * 20);
    pcm.fill(0);
  }
}

it('hears in a process of its own, in words with times, utterance by utterance, those without sound too', async () => {
  const { hearing, told, texts, until } = hear(start());
  speak(hearing, 5000);
  hearing.next();
  hearing.next();
  speak(hearing, 7000);
  hearing.utteranceOver();
  await until(() => texts.filter(({ isFinal }) => isFinal).length > 2);
  expect(told).toEqual([
    'ready',
    'text 0 one',
    'text 0 one tw',
    'text 0 one two',
    'text 0 one two three',
    'final 0 one two three',
    'final 1 ',
    'text 2 one',
    'text 2 one tw',
    'text 2 one two',
    'text 2 one two three',
    'final 2 one two three',
  ]);
  const last = texts.at(-1)!;
  expect(last.words).toEqual([
    { text: 'one', endMs: 7200, isFinal: true },
    { text: 'two', endMs: 7600, isFinal: true },
    { text: 'three', endMs: 7800, isFinal: true },
  ]);
  expect(last.coversMs).toBeCloseTo(7800, 6);
});

it('hears several at once, and those who come later', async () => {
  const backend = start();
  const first = [hear(backend), hear(backend)];
  await first[0]!.until(() => first[0]!.told.length > 0);
  for (const { hearing, told, until } of [...first, hear(backend)]) {
    speak(hearing, 0);
    hearing.utteranceOver();
    await until(() => told.at(-1)?.startsWith('final') === true);
    expect(told.at(-1)).toBe('final 0 one two three');
  }
});

it.each([
  ['a process that dies', standIn, 'the stand-in has died'],
  ['a model that is none', "throw new Error('the model is no model')", 'the model is no model'],
])('ends hearings with a fault for %s, and begins anew with the next', async (_, source, words) => {
  const backend = start(source);
  const { hearing, told, until } = hear(backend);
  hearing.push(new Float32Array(320).fill(1), 0);
  await until(() => told.some((one) => one.startsWith('fault')));
  expect(told.at(-1)).toBe(`fault it: ${words}`);
  if (source !== standIn) return;
  const second = hear(backend);
  speak(second.hearing, 0);
  second.hearing.utteranceOver();
  await second.until(() => second.told.at(-1)?.startsWith('final') === true);
});

it('says nothing more once it is closed', async () => {
  const backend = start();
  const { hearing, told, until } = hear(backend);
  await until(() => told.length > 0);
  speak(hearing, 0);
  hearing.close();
  await backend.close();
  hearing.utteranceOver();
  expect(told).toEqual(['ready']);
});

describe('a directory of a model', () => {
  it.each<[string, readonly string[], object]>([
    ['a transducer', transducer, { transducer: {} }],
    ['a paraformer', ['tokens.txt', 'encoder.int8.onnx', 'decoder.int8.onnx'], { paraformer: {} }],
    ['a CTC model', ['tokens.txt', 'model.onnx'], { zipformer2Ctc: {} }],
  ])('may hold %s', (_, files, expected) => {
    expect(Object.keys(findSherpaModel(directoryOf(...files)))).toEqual(['tokens', ...Object.keys(expected)]);
  });

  it('gives the whole network before the one in 8 bits, whatever their names', () => {
    const names = ['encoder-epoch-99-avg-1.int8.onnx', 'encoder-epoch-99-avg-1.onnx'];
    const { transducer: found } = findSherpaModel(
      directoryOf('tokens.txt', 'decoder-1.onnx', 'joiner-1.onnx', ...names),
    );
    expect(found?.encoder).toMatch(/avg-1\.onnx$/);
  });

  it.each<[string, string | readonly string[], string]>([
    ['is not there', '/no/such/directory', 'it is not there'],
    ['is a file', 'package.json', 'it is no directory'],
    ['is empty', [], 'there is no tokens.txt in it'],
    ['has tokens alone', ['tokens.txt'], 'no encoder*.onnx and no model*.onnx'],
    ['has half a network', ['tokens.txt', 'encoder.onnx'], 'no decoder*.onnx'],
  ])('is refused when it %s', (_, given, sentence) => {
    const directory = typeof given === 'string' ? given : directoryOf(...given);
    const problems = problemsOf(() => sherpaOnnx({ name: 'it', directory }));
    expect(problems).toContain(sentence);
    expect(problems).toContain('[backend_unavailable]');
  });

  it('is of no use without the optional package', () => {
    const make = () => sherpaOnnx({ name: 'it', directory: directoryOf(...transducer), package: 'no-such-package' });
    expect(problemsOf(make)).toContain('it needs the package no-such-package, which is not installed');
  });
});
