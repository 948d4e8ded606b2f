import { describe, expect, it } from 'vitest';
import { StatsRecorder } from '../../../src/acoustic/engine/engine-stats.ts';

describe('StatsRecorder', () => {
  it('knows nothing at first', () => {
    const stats = new StatsRecorder(0).snapshot(0, 3, 7);
    expect(stats).toEqual({ streams: 3, queueDepth: 7, stepP95Ms: 0, busy: 0, runs: 0, meanBatch: 0 });
  });

  it('counts runs since the start, and the streams in those of late', () => {
    const stats = new StatsRecorder(0);
    stats.run(0, 1, 2);
    stats.run(100_000, 100_001, 4);
    stats.run(101_000, 101_001, 5);
    expect(stats.snapshot(101_001, 0, 0)).toMatchObject({ runs: 3, meanBatch: 4.5 });
    expect(stats.snapshot(200_000, 0, 0)).toMatchObject({ runs: 3, meanBatch: 0 });
  });

  it('gives the share of the last 10 s that went to runs', () => {
    const stats = new StatsRecorder(0);
    for (let ms = 0; ms < 30_000; ms += 100) stats.run(ms, ms + 25, 1);
    expect(stats.snapshot(30_000, 0, 0).busy).toBeCloseTo(0.25, 1);
    expect(stats.snapshot(50_000, 0, 0).busy).toBe(0);
  });

  it('gives the share of what there was, before 10 s have passed', () => {
    const stats = new StatsRecorder(5000);
    stats.run(5000, 5500, 1);
    expect(stats.snapshot(6000, 0, 0).busy).toBeCloseTo(0.5, 6);
  });

  it('gives the p95 of step times to 5 %, the last 10 s of them', () => {
    const stats = new StatsRecorder(0);
    stats.step(100, 5000);
    for (let ms = 1; ms <= 100; ms++) stats.step(15_000, ms);
    const { stepP95Ms } = stats.snapshot(15_500, 0, 0);
    expect(stepP95Ms).toBeGreaterThanOrEqual(95);
    expect(stepP95Ms).toBeLessThan(95 * 1.06);
    expect(stats.snapshot(40_000, 0, 0).stepP95Ms).toBe(0);
  });

  it('takes times beyond its range at its edges', () => {
    const stats = new StatsRecorder(0);
    stats.step(0, 0);
    expect(stats.snapshot(0, 0, 0).stepP95Ms).toBeCloseTo(0.05, 6);
    for (let i = 0; i < 100; i++) stats.step(0, 1e9);
    expect(stats.snapshot(0, 0, 0).stepP95Ms).toBeGreaterThan(60_000);
  });
});
