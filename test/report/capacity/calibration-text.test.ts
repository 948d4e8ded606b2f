import { describe, expect, it } from 'vitest';
import { type CalibrationShown, calibrationText } from '../../../src/report/capacity/calibration-text.ts';
import { createPaint } from '../../../src/report/terminal/paint.ts';

const times = [1, 2, 4, 8, 16, 32, 64].flatMap((batch) =>
  [1, 2, 5].map((steps) => ({ batch, steps, ms: 0.1 + 0.01 * batch * steps })),
);
const held = { streams: 640, p50Ms: 12, p95Ms: 44.2, throughput: 638.7, valid: true };
const shown: CalibrationShown = {
  device: 'cuda',
  model: { name: 'en-learner', version: '1.2.0' },
  deadlineMs: 100,
  times,
  choice: { maxBatch: 64, groupSteps: 5, streams: 1640, run: { ms: 3.3 } },
  levels: [held, { ...held, streams: 1280, p50Ms: Number.POSITIVE_INFINITY, p95Ms: Number.POSITIVE_INFINITY }],
  streams: 640,
  isOpenEnded: false,
  interrupted: false,
  unmeasured: ['sockets and scoring'],
};
const text = (changed: Partial<CalibrationShown> = {}, columns = 80) =>
  calibrationText({ ...shown, ...changed }, createPaint(false), columns);

describe('what a calibration says', () => {
  it('is how long runs take, how the device is driven, what live streams felt, and how many it carries', () => {
    const said = text();
    expect(said).toMatch(/│ {6}64 │ +0\.74 ms │ +1\.38 ms │ +3\.30 ms │/);
    expect(said).toContain('chosen: up to 64 streams a run, 5 steps at a time under load (3.30 ms)');
    expect(said).toMatch(/640 │ 12\.0 ms │ 44\.2 ms │ +638\.7 │ held/);
    expect(said).toMatch(/1280 │ +never │ +never │ +638\.7 │ missed/);
    expect(said).toContain('cuda carries 640 live streams');
    expect(said).toContain('not measured:\n  sockets and scoring');
  });

  it('fits 80 columns', () => {
    expect(
      Math.max(
        ...text()
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(80);
  });

  it.each<[string, Partial<CalibrationShown>, string]>([
    ['no load was missed', { isOpenEnded: true }, 'cuda carries at least 640 live streams'],
    ['no stream was held', { streams: 0 }, 'cuda holds not one live stream within the deadline'],
    ['the machine was too busy', { levels: [{ ...held, valid: false }] }, 'nothing is known: no load was measured'],
    ['it was interrupted', { interrupted: true, levels: [] }, 'interrupted: what is above is what was measured'],
    [
      'no run is quick enough',
      { choice: { maxBatch: 1, groupSteps: 1, streams: 0, run: { ms: 60 } } },
      'chosen: up to 1 streams a run, step by step under load (60.0 ms)\nno run is over within half of 100 ms',
    ],
  ])('when %s', (_, changed, sentence) => expect(text(changed)).toContain(sentence));
});
