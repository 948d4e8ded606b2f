import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { driveLive } from '../../../src/acoustic/calibrate/live-streams.ts';
import type { AcousticEngine } from '../../../src/acoustic/engine/types.ts';
import { loadModelPackage } from '../../../src/acoustic/model/load-model.ts';

const model = loadModelPackage('models/en-learner');
const aheadMs = model.lookaheadMs + model.features.windowMs - model.features.hopMs;

const nothing = {
  logPosterior: new Float32Array(0),
  scoreLogit: undefined,
  timing: { queueMs: 0, featuresMs: 0, inferenceMs: 0 },
};

/** An engine that answers each group of five frames so long after the sound that they need has come. */
function answering(afterMs: number, carries = Number.POSITIVE_INFINITY): AcousticEngine {
  let streams = 0;
  return {
    model,
    provider: 'played',
    open(onFrames) {
      const number = ++streams;
      let [samples, answered] = [0, 0];
      return {
        push(pcm: Float32Array) {
          samples += pcm.length;
          const known = Math.floor(((samples * 1000) / model.sampleRateHz - aheadMs) / model.strideMs);
          const count = known - answered - ((known - answered) % 5);
          if (count <= 0 || number > carries) return;
          const firstFrame = answered;
          answered += count;
          setTimeout(() => onFrames({ ...nothing, firstFrame, count }), afterMs);
        },
        end: async () => {},
        giveWay() {},
        close() {},
      };
    },
    stats: () => ({ streams, queueDepth: 0, stepP95Ms: 0, busy: 0, runs: 0, meanBatch: 0, silentMs: 0, restarts: 0 }),
    close: async () => {},
  };
}

async function drive(engine: AcousticEngine, streams = 10, signal = new AbortController().signal) {
  const level = driveLive(engine, { streams, lengthMs: 2000, signal });
  await vi.advanceTimersByTimeAsync(4000);
  return await level;
}

describe('live streams that read to an engine', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([7, 60, 250])('feel that it answers %i ms after their sound', async (afterMs) => {
    const level = await drive(answering(afterMs));
    expect(level).toMatchObject({ streams: 10, valid: true });
    // Sound comes within a millisecond of when it is due.
    expect(level!.p50Ms - afterMs).toBeLessThanOrEqual(1);
    expect(level!.p95Ms - afterMs).toBeGreaterThanOrEqual(0);
    expect(level!.throughput).toBeGreaterThan(9);
    expect(level!.throughput).toBeLessThan(11);
  });

  it('that are not answered wait for ever', async () => {
    const level = await drive(answering(5, 8));
    expect(level).toMatchObject({ p95Ms: Number.POSITIVE_INFINITY, valid: true });
    expect(level!.p50Ms).toBeLessThan(10);
    expect(level!.throughput).toBeLessThan(9);
  });

  it('prove nothing when their sound comes late', async () => {
    const engine = answering(5);
    const level = driveLive(engine, { streams: 2, lengthMs: 2000, signal: new AbortController().signal });
    // The thread stands still now and then.
    for (let at = 0; at < 60; at++) {
      await vi.advanceTimersByTimeAsync(10);
      vi.advanceTimersByTime(50);
      await vi.advanceTimersByTimeAsync(0);
    }
    expect((await level)!.valid).toBe(false);
  });

  it('end when they are told to', async () => {
    const stop = new AbortController();
    stop.abort();
    expect(await drive(answering(5), 3, stop.signal)).toBeUndefined();
  });
});
