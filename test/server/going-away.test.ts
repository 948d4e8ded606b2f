import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { StreamClient } from '../../src/client/client.ts';
import type { ClientEnd } from '../../src/client/close-outcome.ts';
import { SoundFrames } from '../../src/client/frames.ts';
import { socketLinks } from '../../src/client/link/websocket-connection.ts';
import { startWheel } from '../../src/clock/wheel.ts';
import type { ServerEvent } from '../../src/protocol/server-messages.ts';
import type { Scoring } from '../../src/server/hearing/local-model.ts';
import { connect, refusedUpgrade, startMessage, type TestClient } from '../kit/server/client.ts';
import { scriptedScoring } from '../kit/server/scripted.ts';
import { serve } from '../kit/server/serve.ts';

const batch = startMessage({ lane: 'batch' });

async function started(url: string, message = startMessage()): Promise<TestClient> {
  const client = await connect(url);
  client.send(message);
  await client.until('ready');
  return client;
}

describe('a session in the batch lane, when a learner finds no place', () => {
  const limits = { fixedSessions: 2, batchShare: 1, busyRetryMs: 4000, goAwayMs: 300 };

  it('gets its finals, is told when to come back, and gives its place to the learner', async () => {
    const server = await serve({ limits });
    const [first, newest] = [await started(server.url, batch), await started(server.url, batch)];
    newest.frames(0, 4);
    await newest.until('ack', (ack) => ack.next_seq === 5);
    const learner = await started(server.url);
    const goAway = await newest.until('go_away');
    expect(goAway).toMatchObject({ reason: 'overload', return_ticket: null });
    expect(goAway.retry_after_ms).toBeGreaterThanOrEqual(2000);
    expect(goAway.retry_after_ms).toBeLessThanOrEqual(6000);
    expect(await newest.until('utterance_final')).toMatchObject({ reason: 'drain' });
    expect((await newest.closed).code).toBe(4503);
    expect(newest.of('error')).toMatchObject([{ code: 'server_busy', retry_after_ms: goAway.retry_after_ms }]);
    for (const client of [first, learner]) {
      client.send({ type: 'close' });
      expect((await client.closed).code).toBe(1000);
    }
  });

  it('has scored and acknowledged what it says until it has heard, and is closed as soon as it says so', async () => {
    const server = await serve({ limits: { ...limits, goAwayMs: 60_000 } });
    const [, newest] = [await started(server.url, batch), await started(server.url, batch)];
    await started(server.url);
    await newest.until('go_away');
    newest.frames(0, 9);
    newest.send({ type: 'close', last_seq: 9 });
    expect(await newest.until('utterance_final')).toMatchObject({ reason: 'drain', audio_ms: 200 });
    expect((await newest.closed).code).toBe(4503);
    expect(newest.of('ack').at(-1)).toMatchObject({ next_seq: 10 });
  });

  it('has acknowledged what it goes on sending, which is scored no longer', async () => {
    const server = await serve({ limits });
    const [, newest] = [await started(server.url, batch), await started(server.url, batch)];
    await started(server.url);
    newest.frames(0, 4);
    const final = await newest.until('utterance_final');
    newest.frames(5, 9);
    newest.send({ type: 'close', last_seq: 9 });
    expect((await newest.closed).code).toBe(4503);
    expect(final).toMatchObject({ reason: 'drain', audio_ms: 100 });
    expect(newest.of('ack').at(-1)).toMatchObject({ next_seq: 10 });
  });

  it('is refused where all places of the lane are taken, before there is a WebSocket if it says its lane', async () => {
    const server = await serve({ limits: { fixedSessions: 2, batchShare: 0.5 } });
    await started(server.url, batch);
    expect(await refusedUpgrade(`${server.url}?lane=batch`)).toMatchObject({ status: 503, body: /batch_share/ });
    const second = await connect(server.url);
    second.send(batch);
    expect(await second.until('error')).toMatchObject({ code: 'server_busy' });
    await started(server.url);
  });
});

describe('a learner whom a server that is late sends away', () => {
  const limits = {
    overloadDelayMs: 30,
    overloadIntervalMs: 1000,
    decideEveryMs: 20,
    stepUpMs: 0,
    stepDownMs: 0,
    leastSessions: 0,
    shedEveryMs: 0,
    shedShare: 1,
    sheddingAt: 1,
    wordsOnlyAt: 1,
    finalsOnlyAt: 1,
    halfRateAt: 1,
    busyRetryMs: 200,
    goAwayMs: 60_000,
  };

  it('comes back with its ticket, though new ones find no place', async () => {
    const server = await serve({ scoring: lateBy(80), limits: { ...limits, fixedSessions: 1 } });
    const client = speakingClient(server.url);
    const end = await client.end;
    expect(end).toMatchObject({ outcome: 'sent_away', code: 4503, retryable: true });
    expect(client.of('utterance_final')).toHaveLength(1);
    expect(client.stream.unacked).toBe(0);
    expect(client.of('backpressure').map(({ level }) => level)).toEqual(
      expect.arrayContaining(['larger_groups', 'half_rate', 'finals_only', 'words_only', 'shedding']),
    );
    const withTicket = `${server.url}?ticket=${end.returnTicket}`;
    await expect.poll(() => answerTo(withTicket)).toBe('let in');
    expect(await answerTo(server.url)).toBe(503);
    await started(withTicket, startMessage({ return_ticket: end.returnTicket! }));
  });
});

/** Scoring whose results come so much later. */
function lateBy(ms: number): Scoring {
  return {
    ...scriptedScoring,
    openUtterance: (engine, reference, settings, events) =>
      scriptedScoring.openUtterance(engine, reference, settings, {
        ...events,
        onFeedback: (feedback) => void setTimeout(() => events.onFeedback?.(feedback), ms),
      }),
  };
}

/** What an upgrade is answered. */
function answerTo(url: string): Promise<'let in' | number | undefined> {
  const socket = new WebSocket(url, 'speechfb.v1');
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.on('open', () => resolve('let in'));
    socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode));
  }).finally(() => socket.terminate()) as Promise<'let in' | number | undefined>;
}

/** The client of an app, that speaks in real time until it is told to go. */
function speakingClient(url: string) {
  const clock = () => performance.now();
  const { timers, stop } = startWheel(clock);
  onTestFinished(stop);
  const events: ServerEvent[] = [];
  let resolve!: (end: ClientEnd) => void;
  const end = new Promise<ClientEnd>((given) => {
    resolve = given;
  });
  const stream = new StreamClient({
    open: socketLinks({ url, token: undefined }, clock),
    start: { audio: { encoding: 'pcm_s16le', sample_rate: 16_000, channels: 1 }, reference: { text: 'ab ba' } },
    clock,
    timers,
    random: () => 0.5,
    onEvent: (event) => void events.push(event),
    onBadMessage: ({ problem }) => {
      throw new Error(problem);
    },
    onEnd: resolve,
  });
  const sound = new SoundFrames({ pcm: new Uint8Array(32_000 * 10), sampleRateHz: 16_000 }, 20);
  let frame = 0;
  const speaking = setInterval(() => {
    if (stream.leftMs === undefined && !stream.ended && frame < sound.count) stream.sendAudio(sound, frame++);
  }, 20);
  onTestFinished(() => {
    clearInterval(speaking);
    stream.abort('the test is over');
  });
  const of = <Type extends ServerEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<ServerEvent, { type: Type }> => event.type === type);
  return { stream, end, of };
}
