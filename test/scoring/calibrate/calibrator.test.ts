import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCalibrator } from '../../../src/scoring/calibrate/calibrator.ts';
import { contextNames } from '../../../src/scoring/calibrate/context.ts';
import { featureNames } from '../../../src/scoring/calibrate/features.ts';
import type { Regressor } from '../../../src/scoring/calibrate/regressor-schema.ts';
import { arpabet } from '../../../src/scoring/text/phones.ts';
import { alphabet } from '../../kit/speech.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const folder = temporaryDirectory();
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
  it('sees the features, the phone and its prior; confidence sees the score, the context all', () => {
    const features = featureNames(alphabet).length;
    const alone = features + 39 + 2;
    const all = alone + contextNames.length;
    const path = join(folder, 'good.json');
    const write = (changes: object) => writeFileSync(path, JSON.stringify({ ...example(), ...changes }));
    const values = new Float32Array(features).fill(0.5);

    write({ score: linear(0, alone), confidence: linear(alone, alone + 1) });
    expect(loadCalibrator(path, alphabet).score(values, 3)).toEqual({ score: 0.5, confidence: 0.5 });
    write({ score: linear(features + 3, alone) });
    expect(loadCalibrator(path, alphabet).score(values, 3).score).toBe(1);
    expect(loadCalibrator(path, alphabet).score(values, 4).score).toBe(0);
    write({ score: linear(features + 39, alone, 10) });
    expect(loadCalibrator(path, alphabet).score(values, 7).score).toBeCloseTo(0.7, 5);
    write({ score: linear(0, alone, 9) });
    expect(loadCalibrator(path, alphabet).score(values, 0).score).toBe(2);
    write({ score_in_context: linear(alone + 2, all) });
    const context = new Float32Array(contextNames.length);
    context[2] = 1.25;
    expect(loadCalibrator(path, alphabet).scoreInContext(values, 0, context)).toBe(1.25);
  });

  it.each([
    ['{"name": 1}', 'is not a calibration'],
    [JSON.stringify({ ...example(), extra: true }), 'is not a calibration'],
    [JSON.stringify({ ...example(), phone_priors: [] }), 'phone_priors has 0 rows; allowed: 39'],
    [JSON.stringify({ ...example(), features: ['lp'] }), 'features[1] is "absent" where "lpmax" is expected'],
  ])('that does not fit is refused: %#', (text, message) => {
    const path = join(folder, 'bad.json');
    writeFileSync(path, text);
    expect(() => loadCalibrator(path, alphabet)).toThrow(message);
    expect(() => loadCalibrator(path, alphabet)).toThrow(expect.objectContaining({ code: 'bad_model' }));
  });
});

/** The regressor base + slope * input[at]. */
function linear(at: number, inputs: number, slope = 1): Regressor {
  const weight = new Array<number>(inputs).fill(0);
  weight[at] = slope;
  return {
    kind: 'layers',
    mean: new Array(inputs).fill(0),
    deviation: new Array(inputs).fill(1),
    layers: [{ weight, bias: [0] }],
  };
}

function example(): object {
  const zero = { kind: 'trees', base: 1, roots: [], feature: [], threshold: [], left: [], right: [], value: [] };
  return {
    name: 'example',
    features: featureNames(alphabet),
    context_features: contextNames,
    flag_threshold: 1,
    unheard: { score: 0.5, confidence: 0.2 },
    phone_priors: arpabet.map((_, index) => [index / 100, 0]),
    score: zero,
    confidence: zero,
    score_in_context: zero,
  };
}
