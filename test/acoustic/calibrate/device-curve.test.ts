import { describe, expect, it } from 'vitest';
import type { Calibration } from '../../../src/acoustic/calibrate/calibrate.ts';
import { deviceCurve, deviceCurveFile } from '../../../src/acoustic/calibrate/device-curve.ts';
import { curveFileFor, streamsByCurve } from '../../../src/capacity/scenario/curve.ts';
import { parseConfig } from '../../../src/config/yaml.ts';
import { problemsOf } from '../../kit/problems.ts';

const run = { batch: 16, steps: 5, ms: 3.21 };
const level = (streams: number, p95Ms: number, valid = true) => ({
  streams,
  p50Ms: p95Ms / 2,
  p95Ms,
  throughput: streams * 0.98,
  valid,
});
const calibration: Calibration = {
  device: 'webgpu',
  model: { name: 'en-learner', version: '1.2.0' },
  deadlineMs: 100,
  times: [{ batch: 1, steps: 1, ms: 1.23456 }, run],
  choice: { maxBatch: 16, groupSteps: 5, streams: 398, run },
  levels: [level(400, Number.POSITIVE_INFINITY), level(200, 40.123), level(300, 99), level(350, 20, false)],
  streams: 300,
  isOpenEnded: false,
  interrupted: false,
  unmeasured: ['the rest'],
};
const text = JSON.stringify(deviceCurve(calibration));

describe('the curve of a device', () => {
  it('is one that capacity sizes pods by', () => {
    const { points } = parseConfig('curve.json', text, curveFileFor({ percentile: 95, valueMs: 100 }));
    expect(points.map(({ streams }) => streams)).toEqual([200, 300, 350, 400]);
    expect(points.at(-1)).toMatchObject({ p95_ms: null, valid: true });
    expect(streamsByCurve(points, { percentile: 95, valueMs: 100 })).toMatchObject({
      streams: 300,
      firstMiss: { streams: 400 },
    });
  });

  it('is one that serve drives the device by, and says what was measured and what was not', () => {
    expect(parseConfig('curve.json', text, deviceCurveFile)).toMatchObject({
      measured: expect.stringContaining('the model alone, no sockets and no scoring'),
      device: { name: 'webgpu', model: 'en-learner 1.2.0', max_batch: 16, group_steps: 5, streams: 300 },
      steps: [
        { batch: 1, steps: 1, ms: 1.235 },
        { batch: 16, steps: 5, ms: 3.21 },
      ],
      not_measured: ['the rest'],
    });
  });

  const own = JSON.parse(text);
  it.each([
    ['a device that there is not', { name: 'tpu' }, /device\.name: .*tpu.*cpu/],
    ['a batch that nothing runs', { max_batch: 5 }, /device\.max_batch: 5 is not one of 1, 2, 4, 8, 16, 32, 64/],
    ['a group that nothing gathers', { group_steps: 3 }, /device\.group_steps: 3 is not one of 1, 2, 5/],
    ['streams in part', { streams: 1.5 }, /device\.streams: 1\.5 is not a whole number from 0/],
    ['streams below nothing', { streams: -1 }, /device\.streams: -1 is not a whole number from 0/],
    ['a model without a name', { model: 7 }, /device\.model: 7 is not the name of a model/],
  ])('is refused with %s', (_, changed, sentence) => {
    const edited = JSON.stringify({ ...own, device: { ...own.device, ...changed } });
    expect(problemsOf(() => parseConfig('curve.json', edited, deviceCurveFile))).toMatch(sentence);
  });

  it('is refused where it was measured by a load test', () => {
    const { device: _, ...other } = own;
    const problems = problemsOf(() => parseConfig('curve.json', JSON.stringify(other), deviceCurveFile));
    expect(problems).toMatch(/device: is not there: this curve is not one of serve --calibrate/);
  });
});
