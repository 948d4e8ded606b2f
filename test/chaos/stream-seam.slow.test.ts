import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { toS16le } from '../../src/audio/pcm.ts';
import { readWav } from '../../src/audio/wav.ts';
import { playRecording } from '../../src/client/playback.ts';
import { checkUrl } from '../../src/client/url.ts';
import { type EmbeddedService, startService } from '../../src/load/service/service.ts';
import { sampleRatesHz } from '../../src/protocol/client-messages.ts';
import type { ServerEvent } from '../../src/protocol/server-messages.ts';
import { bin } from '../kit/program.ts';
import { redisLack } from '../kit/redis-lack.ts';

const clip = 'fixtures/audio/leader.wav';
const text = 'The conference will begin when the leader arrives.';

describe.skipIf(redisLack !== undefined)('somebody who reads while', () => {
  let service: EmbeddedService;
  beforeAll(async () => {
    service = await startService({
      file: process.execPath,
      args: [bin, 'serve', '--port', '0', '--log-level', 'error'],
      nodes: { count: 2, args: ['--slots', '8'] },
      servers: 2,
      store: { isRelayed: false, hasReplica: false },
    });
  });
  afterAll(() => service?.stop(), 60_000);

  it.each<[string, number, number, (spokenMs: number) => void]>([
    [
      'the node of the session is killed',
      0,
      1,
      (spokenMs) => {
        if (spokenMs === 1000) service.nodes.signal(2, 'SIGCONT');
        if (spokenMs === 1500) service.nodes.signal(1, 'SIGKILL');
      },
    ],
    [
      'the gateway of the session is killed',
      1,
      2,
      (spokenMs) => void (spokenMs === 1500 && service.gateways.signal(1, 'SIGKILL')),
    ],
  ])('%s sees no seam: every phone once, and the scores of an untroubled reading', async (_, drops, nodes, trouble) => {
    const untroubled = await read(() => {});
    // The other node stands still at first, so that the session is at the one that will be killed.
    if (nodes === 1) service.nodes.signal(2, 'SIGSTOP');
    await vi.waitFor(async () => expect(await nodesAt(service.urls[0]!)).toBe(nodes), { timeout: 20_000 });
    const troubled = await read(trouble);
    if (nodes === 1) service.nodes.start(1);
    expect(untroubled.drops).toBe(0);
    expect(troubled.drops).toBe(drops);
    expect(troubled.framesLost).toBe(0);
    expect(troubled.finals).toHaveLength(1);
    expect(troubled.finals[0]!.words).toEqual(untroubled.finals[0]!.words);
    const indices = troubled.finalPhones.map(({ index }) => index);
    expect(indices).toEqual([...new Set(indices)].sort((a, b) => a - b));
  });

  /** The nodes that a gateway has found. */
  async function nodesAt(url: string): Promise<number> {
    const metrics = await (await fetch(new URL('/metrics', url.replace('ws:', 'http:')))).text();
    return Number(/^speechfb_trunks (\d+)/m.exec(metrics)?.[1]);
  }

  async function read(trouble: (spokenMs: number) => void) {
    const events: ServerEvent[] = [];
    let drops = 0;
    const [url, ...alsoAt] = service.urls.map(checkUrl);
    const wav = readWav(clip, { ratesHz: sampleRatesHz });
    const { framesLost } = await playRecording(
      {
        recording: { pcm: toS16le(wav.samples), sampleRateHz: wav.sampleRateHz },
        text,
        url: url!,
        alsoAt,
        token: undefined,
        frameMs: 20,
        emitIntervalMs: 100,
        lane: 'live',
        cutAtMs: undefined,
        patience: { readyMs: 20_000, answerMs: 20_000, finalMs: 20_000 },
      },
      {
        onEvent: (event) => void events.push(event),
        onSpoken: trouble,
        onDropped: () => {
          drops += 1;
        },
        signal: new AbortController().signal,
      },
    );
    const finals = events.filter((event) => event.type === 'utterance_final');
    const finalPhones = events
      .filter((event) => event.type === 'phoneme_feedback')
      .flatMap(({ phonemes }) => phonemes.filter(({ status }) => status === 'final'));
    return { drops, framesLost, finals, finalPhones };
  }
});
