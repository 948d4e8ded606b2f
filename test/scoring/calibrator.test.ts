import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCalibrator } from '../../src/scoring/calibrator.ts';
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
  ])('that does not fit is refused: %#', (text, message) => {
    const path = join(folder, 'bad.json');
    writeFileSync(path, text);
    expect(() => loadCalibrator(path, alphabet)).toThrow(message);
    expect(() => loadCalibrator(path, alphabet)).toThrow(expect.objectContaining({ code: 'bad_model' }));
  });
});

function example(): object {
  const zero = { kind: 'trees', base: 1, roots: [], feature: [], threshold: [], left: [], right: [], value: [] };
  return {
    name: 'example',
    features: featureNames(alphabet),
    context_features: [],
    flag_threshold: 1,
    score: zero,
    score_in_context: zero,
  };
}
