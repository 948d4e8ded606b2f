import { describe, expect, it } from 'vitest';
import { answerBatch, type BatchWork } from '../../../src/capacity/queueing/batch-queue.ts';
import { type BatchRules, chooseBatch } from '../../../src/capacity/queueing/batch-size.ts';
import { curveProblems, streamsByCurve } from '../../../src/capacity/scenario/curve.ts';

/** Streams on one V100 by a published table: 340, 393 and 699 ms at p95. */
const v100 = [
  { streams: 1500, p95_ms: 699 },
  { streams: 800, p95_ms: 340 },
  { streams: 1000, p95_ms: 393 },
];

describe('streams by a measured curve', () => {
  it.each([
    ['the most that was measured within the limit', 400, 1000],
    ['a limit met exactly', 393, 1000],
    ['a tighter limit', 350, 800],
    ['nothing read between measurements', 600, 1000],
    ['nothing beyond the last', 900, 1500],
    ['none at all', 300, 0],
  ])('%s: %i ms', (_, valueMs, expected) =>
    expect(streamsByCurve(v100, { percentile: 95, valueMs }).streams).toBe(expected),
  );

  it('a later measurement that passes again does not count', () => {
    const noisy = [...v100, { streams: 1200, p95_ms: 410 }, { streams: 1300, p95_ms: 390 }];
    expect(streamsByCurve(noisy, { percentile: 95, valueMs: 400 }).streams).toBe(1000);
  });

  it('says what the next measured load takes, or that there was none', () => {
    expect(streamsByCurve(v100, { percentile: 95, valueMs: 400 }).firstMiss).toEqual({ streams: 1500, latencyMs: 699 });
    expect(streamsByCurve(v100, { percentile: 95, valueMs: 900 }).firstMiss).toBeUndefined();
  });

  it('leaves out what proves nothing, and counts what never came as over every limit', () => {
    const points = [{ streams: 900, p95_ms: 999, valid: false }, ...v100, { streams: 1200, p95_ms: null }];
    const answer = streamsByCurve(points, { percentile: 95, valueMs: 5000 });
    expect(answer).toMatchObject({ streams: 1000, firstMiss: { streams: 1200, latencyMs: Infinity } });
    expect(curveProblems(points, { percentile: 95, valueMs: 1 })).toEqual([]);
  });

  it('fits the scalability law when throughput was measured', () => {
    const points = [1, 18, 36, 72, 108, 144, 216].map((streams, index) => ({
      streams,
      p95_ms: 10,
      throughput: [64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775.0, 1702.2][index]!,
    }));
    expect(streamsByCurve(points, { percentile: 95, valueMs: 20 }).peak!.load).toBeCloseTo(96.5, 1);
  });

  it('of nothing valid measures nothing', () =>
    expect(curveProblems([{ streams: 5, valid: false }], { percentile: 95, valueMs: 1 })).toEqual([
      { index: 0, message: 'is not valid, nor is any other point: nothing was measured' },
    ]));

  it.each([
    [{ streams: 5, p50_ms: 3, p95_ms: 9 }, 'has no p99_ms; it has p50_ms, p95_ms'],
    [{ streams: 5 }, 'has no p99_ms; it has no percentile'],
    [{ streams: 5, p99_ms: '9' }, 'p99_ms: "9" is not a number of ms from 0'],
  ])('%j %s', (point, message) =>
    expect(curveProblems([point], { percentile: 99, valueMs: 1 })).toEqual([{ index: 0, message }]),
  );
});

describe('batch size', () => {
  /** A GRU step measured at batch 1, 8 and 64. */
  const steps = [
    { batch: 64, stepMs: 0.339 },
    { batch: 1, stepMs: 0.028 },
    { batch: 8, stepMs: 0.065 },
  ];
  const rules: BatchRules = { chunkMs: 20, maxWaitMs: 5, utilisation: 1, deadlineMs: 10 };

  it('carries what full steps carry: chunk / step x batch', () => {
    expect(chooseBatch(steps, rules).options.map(({ batch, streams }) => [batch, streams])).toEqual([
      [1, 714],
      [8, 2461],
      [64, 3775],
    ]);
  });

  it('takes the one that carries most within the deadline', () => {
    expect(chooseBatch(steps, rules).best?.batch).toBe(64);
    expect(chooseBatch(steps, { ...rules, deadlineMs: 0.3 }).best?.batch).toBe(8);
    expect(chooseBatch(steps, { ...rules, deadlineMs: 0.05 }).best).toBeUndefined();
  });

  it('never waits longer to fill than it may', () => {
    const [, , wide] = chooseBatch(steps, { ...rules, maxWaitMs: 0.1 }).options;
    expect(wide!.latencyMs).toBeCloseTo(0.1 + 2 * 0.339, 9);
  });
});

describe('a batch queue', () => {
  const work: BatchWork = {
    jobsPerSecond: 40,
    serviceMs: 250,
    variability: { ca2: 1, cs2: 0.25 },
    wait: { p: 0.95, limitMs: 80 },
  };

  it('finds the fewest workers that keep the wait: load 10 needs 14 for p95 of 80 ms', () => {
    expect(answerBatch(work)).toMatchObject({ load: 10, workers: 14, workers_needed: 14, keeps_wait: true });
    expect(answerBatch(work).wait_quantile_ms).toBeCloseTo(77.987, 3);
  });

  it('judges workers as planned', () => {
    expect(answerBatch({ ...work, workers: 12 })).toMatchObject({ workers_needed: 14, keeps_wait: false });
  });

  it('says that too few never catch up', () => {
    expect(answerBatch({ ...work, workers: 10 })).toMatchObject({ wait_quantile_ms: null, mean_wait_ms: null });
  });

  it('asks Kingman for one worker, Allen and Cunneen for more', () => {
    const single = answerBatch({ ...work, jobsPerSecond: 3.2, workers: 1 });
    expect(single.mean_wait_by).toBe('kingman');
    expect(single.mean_wait_ms).toBeCloseTo(625, 6);
    expect(answerBatch({ ...work, jobsPerSecond: 64, workers: 20 }).mean_wait_ms).toBeCloseTo(10.003, 4);
  });
});
