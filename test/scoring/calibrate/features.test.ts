import { describe, expect, it } from 'vitest';
import { FrameStore } from '../../../src/scoring/align/frame-store.ts';
import {
  featureNames,
  phoneColumns,
  rawGop,
  SEGMENT_FEATURES,
  segmentFeatures,
} from '../../../src/scoring/calibrate/features.ts';

// A model with two phones around its silence, so that columns and phones do not coincide.
const alphabet = { phones: ['A', 'SIL', 'B'], silence: 'SIL' };
const ln = Math.log;

function measure(logits: readonly number[] | undefined) {
  const width = logits ? logits.length / 2 : 0;
  const store = new FrameStore(3, width);
  const posterior = Float32Array.from([ln(0.5), ln(0.2), ln(0.3), ln(0.1), ln(0.1), ln(0.8)]);
  const scores = logits && Float32Array.from(logits);
  store.add(posterior, scores, 0);
  store.add(posterior, scores, 1);
  const { values } = segmentFeatures(store, phoneColumns(alphabet, width), 1, 0, 2);
  return Object.fromEntries(featureNames(alphabet).map((name, index) => [name, values[index]]));
}

const near = (value: number) => expect.closeTo(value, 5);

describe('segment features of phone B over two frames', () => {
  it('are what their names say', () => {
    const meanA = (ln(0.5) + ln(0.1)) / 2;
    const meanB = (ln(0.3) + ln(0.8)) / 2;
    const entropy = (...p: number[]) => -p.reduce((total, value) => total + value * ln(value), 0);
    expect(measure([1, 0, 2, 3, 0, 6])).toEqual({
      lp: near(meanB),
      lpmax: near(ln(0.8)),
      lpr: near((ln(0.3) - ln(0.5) + ln(0.8) - ln(0.1)) / 2),
      seglr: near(meanB - meanA),
      seglp: near(meanB - ln(Math.exp(meanA) + Math.exp(meanB))),
      pp: near((0.3 + 0.8) / 2),
      ver: 4,
      vermin: 2,
      vermax: 6,
      vmid: 6,
      vr: 2,
      ent: near((entropy(0.5, 0.2, 0.3) + entropy(0.1, 0.1, 0.8)) / 2),
      psil: near(0.15),
      top: 1,
      logdur: near(ln(2)),
      ml_A: near(meanA),
      ml_B: near(meanB),
      ml_SIL: near((ln(0.2) + ln(0.1)) / 2),
      mv_A: 2,
      mv_B: 4,
    });
  });

  it('take a score head with and without a column for silence', () => {
    expect(measure([1, 2, 3, 6])).toEqual(measure([1, 0, 2, 3, 0, 6]));
  });

  it('are 0 where a model has no score head', () => {
    expect(measure(undefined)).toMatchObject({ ver: 0, vermin: 0, vermax: 0, vmid: 0, vr: 0, mv_A: 0, mv_B: 0 });
  });
});

it('raw GOP joins the posterior with the least verdict, and does without a score head', () => {
  const values = new Float32Array(SEGMENT_FEATURES.length);
  values[SEGMENT_FEATURES.indexOf('lp')] = -0.5;
  values[SEGMENT_FEATURES.indexOf('vermin')] = -1;
  const measured = { values };
  expect(rawGop(measured, false)).toBe(-0.5);
  expect(rawGop(measured, true)).toBeCloseTo(-0.5 + ln(1 / (1 + Math.exp(1))), 6);
});

it('the order of the first features is fixed: calibrations depend on it', () => {
  expect(SEGMENT_FEATURES).toEqual(
    'lp lpmax lpr seglr seglp pp ver vermin vermax vmid vr ent psil top logdur'.split(' '),
  );
});

it('a very long segment is judged by its newest frames', () => {
  const store = new FrameStore(3, 0);
  for (let f = 0; f < 300; f++) store.add(Float32Array.from([f, f, f]), undefined, 0);
  expect(store.oldest(0)).toBe(300 - 128);
  expect(store.logPosterior[store.posteriorAt(store.oldest(0))]).toBe(172);
});
