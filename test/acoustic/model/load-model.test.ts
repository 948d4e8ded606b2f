import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createInlineEngine } from '../../../src/acoustic/engine/inline-engine.ts';
import { loadModelPackage } from '../../../src/acoustic/model/load-model.ts';
import type { ModelJson } from '../../../src/acoustic/model/model-schema.ts';
import { SpeechfbError } from '../../../src/errors.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';
import { tinyFolder as golden, tiny } from '../../kit/tiny-model.ts';

const folder = temporaryDirectory();
/** A copy of the tiny package with its model.json changed; returns its folder. */
function changed(change: (json: ModelJson) => unknown): string {
  const dir = temporaryDirectory();
  cpSync(golden, dir, { recursive: true });
  const json = JSON.parse(readFileSync(join(dir, 'model.json'), 'utf8'));
  change(json);
  writeFileSync(join(dir, 'model.json'), JSON.stringify(json));
  return dir;
}

async function failure(act: () => unknown): Promise<SpeechfbError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof SpeechfbError) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}

const said = (error: SpeechfbError) => error.problems.map(({ where, message }) => `${where}: ${message}`);
const arpabet39 =
  'AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH'.split(' ');

describe('loadModelPackage', () => {
  it('reads a package that is well', () => {
    expect(tiny).toMatchObject({ name: 'tiny', sampleRateHz: 8000, strideMs: 30, lookaheadMs: 30, silence: '_' });
    expect(tiny.onnxPath).toBe(join(golden, 'model.onnx'));
    expect(tiny.outputs).toEqual({ logPosterior: 'phones', scoreLogit: 'scores' });
    expect(tiny.calibrationPath).toBeUndefined();
  });

  it.each<[string, (json: ModelJson) => unknown, RegExp]>([
    ['a missing field', (json) => Reflect.deleteProperty(json, 'silence'), /^silence: missing; /],
    ['an unknown field', (json) => Object.assign(json, { bins: 3 }), /^model\.json: unknown key "bins"/],
    ['an unknown field further in', (json) => Object.assign(json.features, { hop: 3 }), /^features: .*"hop"/],
    ['a field of another type', (json) => Object.assign(json, { stride_ms: '30' }), /^stride_ms: "30"; .*number/],
    [
      'another feature recipe',
      (json) => Object.assign(json.features, { type: 'mfcc' }),
      /^features\.type: "mfcc"; .*log-mel/,
    ],
    [
      'a mean of other length',
      (json) => json.features.normalisation.mean.pop(),
      /^features\.normalisation\.mean: 15 values; allowed: 16/,
    ],
    [
      'an FFT smaller than the window',
      (json) => Object.assign(json.features, { fft: 128 }),
      /^features\.fft: 128; .*at least the window's 256/,
    ],
    [
      'an FFT size that there is no FFT of',
      (json) => Object.assign(json.features, { fft: 32 * 11 }),
      /^features\.fft: 352; .*factors 2, 3 and 5/,
    ],
    [
      'a hop longer than the window',
      (json) => Object.assign(json.features, { hop_ms: 40 }),
      /^features\.hop_ms: 40; allowed: up to window_ms/,
    ],
    [
      'a hop of no whole samples',
      (json) => Object.assign(json.features, { hop_ms: 0.3 }),
      /^features\.hop_ms: 0\.3 ms is 2\.4/,
    ],
    [
      'filters beyond half the rate',
      (json) => Object.assign(json.features, { high_hz: 5000 }),
      /^features\.high_hz: 100 to 5000 Hz; .*4000/,
    ],
    [
      'a stride that is not hops x stack',
      (json) => Object.assign(json, { stride_ms: 20 }),
      /^stride_ms: 20; allowed: 30/,
    ],
    [
      'a look-ahead of no whole strides',
      (json) => Object.assign(json, { lookahead_ms: 50 }),
      /^lookahead_ms: 50; allowed: multiples of stride_ms/,
    ],
    ['a phone twice', (json) => json.phones.push('A'), /^phones\[5\]: "A" is phones\[1\] already/],
    [
      'silence that is no phone',
      (json) => Object.assign(json, { silence: 'SIL' }),
      /^silence: "SIL" is not one of the phones; allowed: _, A, B, C, D/,
    ],
    [
      'English without its phones',
      (json) => Object.assign(json, { language: 'en-US' }),
      /^phones: lacks AA, AE, .* \(it has A, C\)/,
    ],
    [
      'English with one phone misspelt',
      (json) => Object.assign(json, { language: 'en', phones: ['_', 'AAA', ...arpabet39.slice(1)] }),
      /^phones: lacks AA of .* \(it has AAA\)/,
    ],
    [
      'a state tensor used twice',
      (json) => json.states.push(json.states[0]!),
      /^states\[1\]\.input: tensor "past" is states\[0\]\.input already/,
    ],
    [
      'a state that is also the score output',
      (json) => Object.assign(json.outputs, { score_logit: 'next_past' }),
      /^states\[0\]\.output: tensor "next_past" is outputs\.score_logit already/,
    ],
    [
      'a model file that is not there',
      (json) => Object.assign(json, { onnx: 'other.onnx' }),
      /^onnx: there is no file "other\.onnx"/,
    ],
    [
      'a calibration that is not there',
      (json) => Object.assign(json, { calibration: 'c.json' }),
      /^calibration: there is no file "c\.json"/,
    ],
  ])('says of %s where it is and what is allowed', async (_, change, expected) => {
    const error = await failure(() => loadModelPackage(changed(change)));
    expect(error).toMatchObject({ code: 'bad_model', exitCode: 2 });
    expect(said(error)).toContainEqual(expect.stringMatching(expected));
  });

  it('says everything that is wrong at once', async () => {
    const error = await failure(() =>
      loadModelPackage(
        changed((json) => {
          Object.assign(json, { stride_ms: 15, silence: 'SIL', onnx: 'no.onnx' });
          json.features.normalisation.mean.pop();
        }),
      ),
    );
    expect(error.problems.map(({ where }) => where).sort()).toEqual([
      'features.normalisation.mean',
      'onnx',
      'silence',
      'stride_ms',
    ]);
    expect(error.message).toMatch(/4 problems/);
  });

  it.each([
    ['a folder that is not there', join(folder, 'nowhere'), 'model_not_found', /there is no such folder/],
    ['a folder without model.json', folder, 'model_not_found', /has no model\.json/],
  ])('says of %s that there is no package', async (_, dir, code, message) => {
    const error = await failure(() => loadModelPackage(dir));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('says what in model.json is no JSON', async () => {
    const dir = changed(() => {});
    writeFileSync(join(dir, 'model.json'), '{"name": ');
    expect(said(await failure(() => loadModelPackage(dir)))[0]).toMatch(/not JSON/);
  });
});

describe('an engine refuses', () => {
  const open = (change: (json: ModelJson) => unknown) =>
    failure(() => createInlineEngine({ model: loadModelPackage(changed(change)), device: 'cpu' }));

  it.each<[string, (json: ModelJson) => unknown, RegExp]>([
    [
      'an input that the file lacks',
      (json) => Object.assign(json.inputs, { features: 'x' }),
      /^inputs\.features: the ONNX file has no input "x"; allowed: mel, past/,
    ],
    [
      'an output that the file lacks',
      (json) => Object.assign(json.outputs, { score_logit: 'ver' }),
      /^outputs\.score_logit: .* no output "ver"; allowed: phones, scores, next_past/,
    ],
    [
      'a state of another shape',
      (json) => Object.assign(json.states[0]!, { shape: [3, 48] }),
      /^states\[0\]\.input: input "past" is \[B, 2, 48\]; allowed: \[batch, 3, 48\]/,
    ],
    [
      'fewer phones than the file gives',
      (json) => json.phones.pop(),
      /^outputs\.log_posterior: .* is \[B, T, 5\]; allowed: \[batch, steps, 4\]/,
    ],
    [
      'an input that nothing feeds',
      (json) => Object.assign(json, { states: [] }),
      /^states: the ONNX file also needs the input "past"/,
    ],
  ])('%s', async (_, change, expected) => {
    const error = await open(change);
    expect(error.code).toBe('bad_model');
    expect(said(error)).toContainEqual(expect.stringMatching(expected));
  });

  it('a file that is no ONNX model', async () => {
    const dir = changed(() => {});
    // Of few bytes onnxruntime says where in its own source it failed.
    writeFileSync(join(dir, 'model.onnx'), 'x\n');
    const short = await failure(() => createInlineEngine({ model: loadModelPackage(dir), device: 'cpu' }));
    expect(short.message).not.toMatch(/\.cc:|::/);
    writeFileSync(join(dir, 'model.onnx'), 'nothing');
    const error = await failure(() => createInlineEngine({ model: loadModelPackage(dir), device: 'cpu' }));
    expect(error).toMatchObject({ code: 'bad_onnx', exitCode: 2 });
    expect(error.message).toContain(join(dir, 'model.onnx'));
  });

  it('a file for the CPU that is none, beside a good one', async () => {
    const dir = changed((json) => Object.assign(json, { onnx_cpu: 'model.cpu.onnx' }));
    expect(said(await failure(() => loadModelPackage(dir)))).toEqual([
      expect.stringMatching(/^onnx_cpu: there is no file "model.cpu.onnx"/),
    ]);
    writeFileSync(join(dir, 'model.cpu.onnx'), 'nothing');
    const error = await failure(() => createInlineEngine({ model: loadModelPackage(dir), device: 'cpu' }));
    expect(error).toMatchObject({ code: 'bad_onnx', exitCode: 2 });
    expect(error.message).toContain(join(dir, 'model.cpu.onnx'));
  });
});
