import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createInlineEngine } from '../../../src/acoustic/engine/inline-engine.ts';
import type { AcousticEngine, AcousticFrames } from '../../../src/acoustic/engine/types.ts';
import { createWorkerEngine } from '../../../src/acoustic/worker/worker-engine.ts';
import { type Heard, hear, largestDifference, testSound, tiny } from '../../kit/tiny-model.ts';

/** 3.3 s of 8 kHz: 110 frames of 30 ms. */
const pcm = testSound(26_400);
const engines = [
  ['inline', createInlineEngine],
  ['worker', createWorkerEngine],
] as const;

describe.each(engines)('the %s engine with a package of other features, stride, look-ahead and states', (_, create) => {
  let engine: AcousticEngine;
  beforeAll(async () => {
    engine = await create({ model: tiny });
  });
  afterAll(() => engine.close());

  it('says which model and provider run', () => {
    expect(engine.model).toBe(tiny);
    expect(engine.provider).toBe('cpu');
  });

  it('gives a frame a stride, each a distribution over the phones, scores beside it', async () => {
    const heard = await hear(engine, pcm, [26_400]);
    expect(heard.frames).toBe(110);
    expect(heard.scoreLogit.length).toBe(110 * 4);
    for (let f = 0; f < 110; f++) {
      const mass = heard.logPosterior.slice(f * 5, f * 5 + 5).reduce((sum, value) => sum + Math.exp(value), 0);
      expect(mass).toBeCloseTo(1, 4);
    }
  });

  it('hears the same in larger groups, and again without', async () => {
    const whole = await hear(engine, pcm, [240]);
    for (const wanted of [true, false]) {
      engine.preferGroups?.(wanted);
      const heard = await hear(engine, pcm, [240]);
      expect(heard.frames).toBe(110);
      expect(largestDifference(heard.logPosterior, whole.logPosterior)).toBeLessThan(1e-5);
    }
  });

  it.each([[[240]], [[13_000]], [[1, 7, 100, 5000, 333]]])(
    'hears the same in chunks of %j samples as in one',
    async (sizes) => {
      const whole = await hear(engine, pcm, [pcm.length]);
      const chunked = await hear(engine, pcm, sizes);
      expect(largestDifference(chunked.logPosterior, whole.logPosterior)).toBeLessThan(1e-5);
      expect(largestDifference(chunked.scoreLogit, whole.scoreLogit)).toBeLessThan(1e-5);
    },
  );

  it('hears each of 11 streams at once as if it were alone', async () => {
    const sounds = Array.from({ length: 11 }, (_, i) => testSound(9000 + 1000 * i, i + 2));
    const alone: Heard[] = [];
    for (const sound of sounds) alone.push(await hear(engine, sound, [sound.length]));
    const together = await Promise.all(sounds.map((sound, i) => hear(engine, sound, [240 * (1 + (i % 3))])));
    together.forEach((heard, i) => {
      expect(largestDifference(heard.logPosterior, alone[i]!.logPosterior)).toBeLessThan(1e-5);
    });
    // The worker tells its stats a few times a second.
    await vi.waitFor(() => expect(engine.stats().meanBatch).toBeGreaterThan(1), 30_000);
  });

  it('gives nothing for a stream without sound, and one frame for one sample', async () => {
    expect((await hear(engine, new Float32Array(0), [1])).frames).toBe(0);
    expect((await hear(engine, testSound(1), [1])).frames).toBe(1);
  });

  it('says where the time of every delivery went', async () => {
    const { deliveries } = await hear(engine, pcm, [2400]);
    for (const { timing } of deliveries) {
      for (const ms of Object.values(timing)) expect(ms).toBeGreaterThanOrEqual(0);
      expect(timing.inferenceMs).toBeGreaterThan(0);
    }
  });

  it('drops what waits when a stream is closed, and ends the next ones well', async () => {
    const heard: AcousticFrames[] = [];
    const stream = engine.open(
      (frames) => heard.push(frames),
      (error) => expect.fail(error.message),
    );
    stream.push(pcm);
    stream.close();
    stream.push(pcm);
    await stream.end();
    expect((await hear(engine, pcm, [2400])).frames).toBe(110);
    expect(heard).toEqual([]);
    expect(engine.stats().streams).toBe(0);
  });

  it.each(['from the first', 'from now on'])('hears what can wait %s behind who cannot', async (since) => {
    const heard: string[] = [];
    const open = (name: string, canWait: boolean) =>
      engine.open(
        () => heard.push(name),
        (error) => expect.fail(error.message),
        canWait && since === 'from the first',
      );
    const patient = Array.from({ length: 20 }, () => open('patient', true));
    const streams = [...patient, open('live', false)];
    if (since === 'from now on') for (const stream of patient) stream.giveWay();
    for (const stream of streams) stream.push(pcm);
    await Promise.all(streams.map((stream) => stream.end()));
    // It came last, and is through before all of the others are.
    expect(heard).toContain('live');
    expect(heard.lastIndexOf('live')).toBeLessThan(heard.lastIndexOf('patient'));
  });

  it('keeps streams apart when others close in the middle of their runs', async () => {
    const alone = await hear(engine, pcm, [2400]);
    const listening = Array.from({ length: 5 }, async () => {
      for (let i = 0; i < 6; i++) {
        const stream = engine.open(
          () => {},
          () => {},
        );
        // More than the inline engine waits for.
        stream.push(testSound(20_000, i));
        await new Promise((resolve) => setImmediate(resolve));
        stream.close();
        stream.close();
        const heard = await hear(engine, pcm, [2400]);
        expect(largestDifference(heard.logPosterior, alone.logPosterior)).toBeLessThan(1e-5);
      }
    });
    await Promise.all(listening);
  });

  it('fails the stream of a listener that throws, and no other', async () => {
    const failed = new Promise<Error>((resolve) => {
      const stream = engine.open(() => {
        throw new Error('a bug of the listener');
      }, resolve);
      stream.push(pcm);
    });
    const [error, heard] = await Promise.all([failed, hear(engine, pcm, [2400])]);
    expect(error.message).toBe('a bug of the listener');
    expect(heard.frames).toBe(110);
    expect(engine.stats().streams).toBe(0);
  });

  it('reports its work', async () => {
    await vi.waitFor(() => expect(engine.stats()).toMatchObject({ streams: 0, queueDepth: 0 }), 30_000);
    const { busy, runs, meanBatch } = engine.stats();
    expect(busy).toBeGreaterThan(0);
    expect(busy).toBeLessThanOrEqual(1);
    expect(runs).toBeGreaterThan(0);
    expect(meanBatch).toBeGreaterThanOrEqual(1);
  });
});
