import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCalibrator } from '../../src/scoring/calibrator.ts';
import { contextNames } from '../../src/scoring/context.ts';
import { featureNames } from '../../src/scoring/features.ts';
import { alphabet } from './speech.ts';

const folder = mkdtempSync(join(tmpdir(), 'calibration-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a model without calibration', () => {
  const calibrator = loadCalibrator(undefined, alphabet);

  it('says so, and grades by the log-posterior', () => {
    expect(calibrator.name).toBe('none');
    const scores = [-0.1, -1, -3, -8].map((lp) => calibrator.score(Float32Array.of(lp), 0).score);
    expect([...scores].sort((a, b) => b - a)).toEqual(scores);
    expect(scores[0]).toBeGreaterThan(1.8);
    expect(scores[3]).toBeLessThan(0.1);
  });
});

describe('calibration.json', () => {
  it.each([
    ['{"name": 1}', 'is not a calibration'],
    [JSON.stringify({ ...example(), extra: true }), 'is not a calibration'],
    [JSON.stringify({ ...example(), features: ['lp'] }), 'features[1] is "absent" where "lpmax" is expected'],
    [JSON.stringify({ ...example(), phone_priors: [[2, 0]] }), 'phone_priors has 1 rows'],
  ])('that does not fit is refused: %#', (text, message) => {
    const path = join(folder, 'bad.json');
    writeFileSync(path, text);
    expect(() => loadCalibrator(path, alphabet)).toThrow(message);
    expect(() => loadCalibrator(path, alphabet)).toThrow(expect.objectContaining({ code: 'bad_model' }));
  });
});

it('shows a calibrator the expected phone, its priors and, for the confidence, the score', () => {
  const width = featureNames(alphabet).length;
  const phones = alphabet.phones.length - 1;
  const weights = (values: Record<number, number>) => ({
    kind: 'layers',
    mean: Array(width + phones + 3).fill(0),
    deviation: Array(width + phones + 3).fill(1),
    layers: [{ weight: Array.from({ length: width + phones + 3 }, (_, at) => values[at] ?? 0), bias: [0] }],
  });
  const path = join(folder, 'layers.json');
  const score = weights({ [width + 1]: 0.5, [width + phones]: 0.4 });
  const confidence = weights({ [width + phones + 2]: 0.5 });
  writeFileSync(path, JSON.stringify({ ...example(), score, confidence }));
  const calibrator = loadCalibrator(path, alphabet);
  const features = new Float32Array(width);
  expect(calibrator.score(features, 1).score).toBeCloseTo(0.5 + 0.4 * 2, 5);
  expect(calibrator.score(features, 1).confidence).toBeCloseTo(0.65, 5);
  expect(calibrator.score(features, 0).score).toBeCloseTo(0.8, 5);
});

function example(): object {
  const zero = { kind: 'trees', base: 1, roots: [], feature: [], threshold: [], left: [], right: [], value: [] };
  return {
    name: 'example',
    features: featureNames(alphabet),
    context_features: contextNames,
    flag_threshold: 1,
    phone_priors: alphabet.phones.slice(1).map(() => [2, 0.1]),
    score: zero,
    confidence: zero,
    score_in_context: zero,
  };
}
