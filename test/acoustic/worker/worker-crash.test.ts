import { describe, expect, it, vi } from 'vitest';
import { contextMs } from '../../../src/acoustic/engine/context.ts';
import { type AcousticEngine, type AcousticStream, fullScale } from '../../../src/acoustic/engine/types.ts';
import { SoundBlocks } from '../../../src/acoustic/worker/kept-sound.ts';
import { createWorkerEngine } from '../../../src/acoustic/worker/worker-engine.ts';
import type { SpeechfbError } from '../../../src/errors.ts';
import { workerUrl } from '../../../src/threads/worker-url.ts';
import { hear, largestDifference, testSound, tiny } from '../../kit/tiny-model.ts';

const crashing = new URL('crashing-worker.mjs', import.meta.url);

/** An engine on a worker that dies at the first sound, and what it tells of that. */
async function doomed(): Promise<{ engine: AcousticEngine; crashes: boolean[] }> {
  const crashes: boolean[] = [];
  const onCrash = (_: Error, restarted: boolean) => crashes.push(restarted);
  return { engine: await createWorkerEngine({ model: tiny, workerScript: crashing, onCrash }), crashes };
}

/** Opens a stream; `error` is what it fails with. */
function openStream(engine: AcousticEngine): { stream: AcousticStream; error: Promise<SpeechfbError> } {
  let report: (error: Error) => void;
  const error = new Promise<SpeechfbError>((resolve) => {
    report = (given) => resolve(given as SpeechfbError);
  });
  return {
    stream: engine.open(
      () => {},
      (given) => report(given),
    ),
    error,
  };
}

describe('a worker that dies', () => {
  it('fails every stream with the cause, and the wait for their ends', async () => {
    const { engine } = await doomed();
    const streams = [openStream(engine), openStream(engine)];
    streams[0]!.stream.push(testSound(100));
    const end = streams[1]!.stream.end();
    for (const { error } of streams) {
      expect(await error).toMatchObject({
        code: 'engine_crashed',
        message: expect.stringMatching(/out of device memory/),
        exitCode: 1,
      });
    }
    await expect(end).rejects.toThrow(/out of device memory/);
    await engine.close();
  });

  it('is replaced three times, then given up: a stream costs two at most, and new ones fail at once', async () => {
    const { engine, crashes } = await doomed();
    for (let i = 0; i < 2; i++) {
      const { stream, error } = openStream(engine);
      stream.push(testSound(100));
      await error;
    }
    expect(crashes).toEqual([true, true, true, false]);
    expect((await openStream(engine).error).code).toBe('engine_crashed');
    expect(engine.stats()).toMatchObject({ streams: 0, restarts: 3 });
    await engine.close();
  });

  it('does not take streams of the next one with it', async () => {
    const { engine } = await doomed();
    const first = openStream(engine);
    first.stream.push(testSound(100));
    await first.error;
    const second = openStream(engine);
    // The dead worker's stream is over: what it still says goes nowhere.
    first.stream.push(testSound(100));
    await first.stream.end();
    second.stream.close();
    await engine.close();
  });
});

describe('a worker that is killed', () => {
  /**
   * 6 s of 8 kHz: 200 frames of 30 ms, so that the sound before what is replayed is forgotten by then. 16-bit, as it is
   * kept.
   */
  const pcm = testSound(48_000).map((value) => Math.round(value * fullScale) / fullScale);

  it.each([
    ['at once', 0],
    ['in the middle', 24_000],
    ['when all was said', 48_000],
  ])(
    '%s costs its streams no frame: each comes once, from one who heard the seconds before it',
    async (_, atSample) => {
      const engine = await createWorkerEngine({ model: tiny });
      const alone = await hear(engine, pcm, [2400]);
      const heard = hear(disturbed(engine, atSample), pcm, [2400]);
      const beside = hear(engine, pcm.subarray(0, 24_000), [240]);
      expect((await heard).frames).toBe(200);
      expect((await beside).frames).toBe(100);
      expect(engine.stats().restarts).toBe(1);
      await expectOneSeam(engine, (await heard).logPosterior, alone.logPosterior);
      await engine.close();
    },
  );

  it('when most was answered is replaced by one who hears the seconds before what is due', async () => {
    const engine = await createWorkerEngine({ model: tiny });
    const alone = await hear(engine, pcm, [2400]);
    const heard: number[] = [];
    const stream = engine.open(
      ({ logPosterior }) => heard.push(...logPosterior),
      (error) => expect.unreachable(error.message),
    );
    stream.push(pcm.slice(0, 36_000));
    await vi.waitFor(() => expect(heard.length).toBeGreaterThanOrEqual(120 * width), 30_000);
    engine.injectFault?.({ action: 'kill' });
    stream.push(pcm.slice(36_000));
    await stream.end();
    expect(engine.stats().restarts).toBe(1);
    const seam = await expectOneSeam(engine, heard, alone.logPosterior);
    expect(seam).toBeGreaterThanOrEqual(120);
    expect(seam).toBeLessThanOrEqual(150);
    expect(largestDifference(heard, alone.logPosterior)).toBeLessThan(1);
    await engine.close();
  });

  it('by a run that fails on the CPU costs its streams no frame either', async () => {
    const engine = await createWorkerEngine({ model: tiny });
    const heard = hear(disturbed(engine, 24_000, 'fail'), pcm, [2400]);
    expect((await heard).frames).toBe(200);
    expect(engine.stats().restarts).toBe(1);
    await engine.close();
  });

  const width = tiny.phones.length;
  const samplesAFrame = 240;

  /**
   * Expects what `alone` says, and from some frame on what a worker says that began far enough before it: how far the first
   * one came is chance. Gives the frame; the number of frames: there is no seam.
   */
  async function expectOneSeam(engine: AcousticEngine, heard: number[], alone: number[]): Promise<number> {
    const at = heard.findIndex((value, i) => Math.abs(value - alone[i]!) > 1e-4);
    const seam = Math.floor((at < 0 ? heard.length : at) / width);
    const differences = [];
    for (const start of startsBefore(seam)) {
      const { logPosterior } = await hear(engine, pcm.subarray(start * samplesAFrame), [2400]);
      differences.push(largestDifference(heard.slice(seam * width), logPosterior.slice((seam - start) * width)));
    }
    expect(heard.length).toBe(alone.length);
    expect(Math.min(...differences)).toBeLessThan(1e-4);
    return seam;
  }

  /** The frames that a second worker may begin with to know the context of frame `seam`. */
  function startsBefore(seam: number): number[] {
    const strideMs = (samplesAFrame * 1000) / tiny.sampleRateHz;
    const { frames } = new SoundBlocks({ sampleRateHz: tiny.sampleRateHz, strideMs });
    const latest = Math.max(0, seam - Math.ceil(contextMs / strideMs));
    return Array.from({ length: Math.floor(latest / frames) + 1 }, (_, block) => block * frames);
  }

  it('a second time, before it has heard a stream, fails that stream', async () => {
    const engine = await createWorkerEngine({ model: tiny });
    const { stream, error } = openStream(engine);
    stream.push(pcm);
    engine.injectFault?.({ action: 'kill' });
    await vi.waitFor(() => expect(engine.stats().restarts).toBe(1), 30_000);
    engine.injectFault?.({ action: 'kill' });
    expect((await error).code).toBe('engine_crashed');
    expect((await hear(engine, pcm, [2400])).frames).toBe(200);
    await engine.close();
  });

  it('or stalled is silent meanwhile', async () => {
    const engine = await createWorkerEngine({ model: tiny });
    engine.injectFault?.({ action: 'stall', ms: 1500 });
    await vi.waitFor(() => expect(engine.stats().silentMs).toBeGreaterThan(400), 30_000);
    await vi.waitFor(() => expect(engine.stats().silentMs).toBeLessThan(300), 30_000);
    expect(engine.stats().restarts).toBe(0);
    await engine.close();
  });
});

/** The engine, killed when a stream of it has been given so many samples. */
function disturbed(engine: AcousticEngine, atSample: number, action: 'kill' | 'fail' = 'kill'): AcousticEngine {
  return {
    ...engine,
    open(...listeners) {
      const stream = engine.open(...listeners);
      let samples = 0;
      return {
        ...stream,
        push(pcm) {
          if (samples <= atSample && samples + pcm.length > atSample) engine.injectFault?.({ action });
          samples += pcm.length;
          stream.push(pcm);
        },
        end() {
          if (samples === atSample) engine.injectFault?.({ action });
          return stream.end();
        },
      };
    },
  };
}

describe('a worker engine', () => {
  it('closes in the middle of runs without taking the process with it', async () => {
    for (let i = 0; i < 3; i++) {
      const engine = await createWorkerEngine({ model: tiny });
      const streams = Array.from({ length: 40 }, () => openStream(engine).stream);
      for (const stream of streams) stream.push(testSound(80_000));
      const end = streams[0]!.end();
      await engine.close();
      await end;
    }
  });

  it('says what is wrong with a model when it is opened', async () => {
    const model = { ...tiny, inputs: { features: 'x' } };
    await expect(createWorkerEngine({ model })).rejects.toMatchObject({
      code: 'bad_model',
      problems: [{ where: 'inputs.features' }, { where: 'states' }],
    });
  });

  it('says when it has not been built', () => {
    expect(() => workerUrl('file:///nowhere/src/acoustic/worker-engine.ts', 'worker.js')).toThrow(
      expect.objectContaining({ code: 'not_built', hint: 'npm run build' }),
    );
  });
});
