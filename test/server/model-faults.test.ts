import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { writePhones } from '../../src/protocol/written-phones.ts';
import type { PipelineEvents, UtterancePipeline } from '../../src/scoring/pipeline.ts';
import type { Scoring } from '../../src/server/hearing/local-model.ts';
import { connect, finalPhones, startMessage } from '../kit/server/client.ts';
import { scriptedEngine, scriptedScoring } from '../kit/server/scripted.ts';
import { serve } from '../kit/server/serve.ts';

describe('beside a healthy session, one whose model', () => {
  it('makes no progress is told so', async () => {
    const server = await serve({ scoring: faulty('ab stuck', () => stuck), limits: { inferenceTimeoutMs: 100 } });
    const { bad, finishHealthy } = await startPair(server.url, 'ab stuck');
    bad.frames(0, 49);
    expect((await bad.closed).code).toBe(4504);
    expect(bad.of('error')).toMatchObject([{ code: 'inference_timeout', retryable: true }]);
    await finishHealthy();
  });

  it('never finishes an utterance is told so', async () => {
    const server = await serve({ scoring: faulty('ab stuck', () => stuck), limits: { inferenceTimeoutMs: 100 } });
    const { bad, finishHealthy } = await startPair(server.url, 'ab stuck');
    bad.frames(0, 4);
    bad.send({ type: 'close' });
    expect((await bad.closed).code).toBe(4504);
    await finishHealthy();
  });

  it('is late with what has ended, and goes on with it, is waited for', async () => {
    const server = await serve({ scoring: late('ab late'), limits: { inferenceTimeoutMs: 400 } });
    const { bad, finishHealthy } = await startPair(server.url, 'ab late');
    bad.frames(0, 4);
    bad.send({ type: 'close' });
    expect((await bad.closed).code).toBe(1000);
    expect(bad.of('utterance_final')).toMatchObject([{ reason: 'close' }]);
    await finishHealthy();
  });

  it('falls behind further than an outage explains ends, and the learner is not blamed', async () => {
    const limits = { maxBufferedMs: 1000, resumeTtlMs: 50 };
    const server = await serve({ scoring: faulty('ab stuck', () => stuck), limits });
    const { bad, finishHealthy } = await startPair(server.url, 'ab stuck');
    bad.frames(0, 49);
    await bad.until('ack', (ack) => ack.next_seq === 50 && ack.buffered_ms === 1000);
    bad.frames(50, 54);
    expect((await bad.closed).code).toBe(4504);
    expect(bad.of('error')[0]!.message).toMatch(/1060 ms of audio wait for the model; at most 1050 may/);
    await finishHealthy();
  });

  it('dies is told that it is not the client', async () => {
    const dying = ({ onError }: PipelineEvents) => ({ ...stuck, push: () => onError(new Error('the thread died')) });
    const server = await serve({ scoring: faulty('ab stuck', dying) });
    const { bad, finishHealthy } = await startPair(server.url, 'ab stuck');
    bad.frame(0);
    expect((await bad.closed).code).toBe(1011);
    expect(bad.of('error')).toMatchObject([{ code: 'internal', retryable: true }]);
    expect(bad.of('error')[0]!.message).not.toContain('thread');
    await finishHealthy();
  });

  it('throws where nobody expects it takes only its own session down', async () => {
    const broken = () => ({
      ...stuck,
      push: () => {
        throw new TypeError('undefined is not a function');
      },
    });
    const server = await serve({ scoring: faulty('ab stuck', broken) });
    const { bad, finishHealthy } = await startPair(server.url, 'ab stuck');
    bad.frame(0);
    expect((await bad.closed).code).toBe(1011);
    await finishHealthy();
  });

  it('throws while only the clock is looking takes only its own session down', async () => {
    const broken = () => ({
      ...stuck,
      gap: () => {
        throw new TypeError('undefined is not a function');
      },
    });
    const server = await serve({ scoring: faulty('ab stuck', broken) });
    const { bad, finishHealthy } = await startPair(server.url, 'ab stuck');
    bad.frame(3);
    expect((await bad.closed).code).toBe(1011);
    await finishHealthy();
  });

  it('is not done by the drain deadline is told so, while others get their finals', async () => {
    const server = await serve({ scoring: faulty('ab stuck', () => stuck), limits: { drainMs: 500 } });
    const { bad, healthy } = await startPair(server.url, 'ab stuck');
    bad.frames(0, 4);
    await bad.until('ack');
    expect(await server.drain()).toEqual({ sessions: 2, finished: 1 });
    expect((await bad.closed).code).toBe(4504);
    expect((await healthy.closed).code).toBe(1001);
    expect(healthy.of('utterance_final')).toMatchObject([{ reason: 'drain' }]);
  });
});

const stuck: UtterancePipeline = { push() {}, gap() {}, close() {}, finish: () => new Promise(() => {}) };

/** The scripted scoring, but for one text. */
function faulty(text: string, pipeline: (events: PipelineEvents) => UtterancePipeline): Scoring {
  return {
    readReference: scriptedScoring.readReference,
    openUtterance(engine, reference, options, events) {
      const isFaulty = reference.words.map((word) => word.text).join(' ') === text;
      return isFaulty ? pipeline(events) : scriptedScoring.openUtterance(engine, reference, options, events);
    },
  };
}

/** The scripted scoring, but for one text, of which each frame is scored long after its end. */
function late(text: string): Scoring {
  const { openUtterance } = scriptedScoring;
  return {
    readReference: scriptedScoring.readReference,
    openUtterance(engine, reference, options, events) {
      const isLate = reference.words.map((word) => word.text).join(' ') === text;
      if (!isLate) return openUtterance(engine, reference, options, events);
      const pipeline = openUtterance(engine, reference, options, { ...events, onFeedback: () => {} });
      const finish: UtterancePipeline['finish'] = async () => {
        for (let audioMs = 20; audioMs <= 100; audioMs += 20) {
          await wait(100);
          events.onFeedback?.({ audioMs, phones: writePhones([]), timing: {} });
        }
        return pipeline.finish();
      };
      return {
        push: (pcm) => pipeline.push(pcm),
        gap: (ms) => pipeline.gap(ms),
        close: () => pipeline.close(),
        finish,
      };
    },
  };
}

async function startPair(url: string, badText: string) {
  const healthy = await connect(url);
  healthy.send(startMessage());
  await healthy.until('ready');
  const bad = await connect(url);
  bad.send(startMessage({ reference: { text: badText } }));
  await bad.until('ready');
  const finishHealthy = async () => {
    healthy.frames(0, 39);
    healthy.send({ type: 'close' });
    expect((await healthy.closed).code).toBe(1000);
    expect(finalPhones(healthy.events)).toHaveLength(4);
  };
  return { healthy, bad, finishHealthy };
}

describe('the last session over', () => {
  it('lets the threads of the model and of scoring collect their garbage', async () => {
    const tidied = { model: defer(), scoring: defer() };
    const server = await serve({
      engine: { ...scriptedEngine(), tidy: tidied.model.resolve },
      scoring: { ...scriptedScoring, tidy: tidied.scoring.resolve },
    });
    const client = await connect(server.url);
    client.send(startMessage());
    await client.until('ready');
    client.send({ type: 'close' });
    await Promise.all([tidied.model.promise, tidied.scoring.promise]);
  });
});

function defer(): { promise: Promise<void>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
