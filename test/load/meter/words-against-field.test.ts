import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { playRecording } from '../../../src/client/playback.ts';
import { checkUrl } from '../../../src/client/url.ts';
import { spokenText } from '../../../src/load/meter/spoken-text.ts';
import { TextWatch } from '../../../src/load/meter/text-watch.ts';
import type { ServerEvent } from '../../../src/protocol/server-messages.ts';
import { quantileOfSorted } from '../../../src/stats/quantile.ts';
import { openShippedModel, readClip } from '../../kit/server/real.ts';
import { serve } from '../../kit/server/serve.ts';

const emitIntervalMs = 100;
const ids = ['unlock', 'leader', 'recorded', 'monkeys', 'desk', 'thanks'];
let model: Awaited<ReturnType<typeof openShippedModel>>;
beforeAll(async () => {
  model = await openShippedModel();
});
afterAll(() => model.close());

type Heard = { event: ServerEvent; atMs: number };

/** Where the words of a shipped clip end, ms. */
function endsOf(id: string): { text: string; endMs: number }[] {
  const lines = readFileSync('fixtures/audio/manifest.jsonl', 'utf8').trim().split('\n');
  const found = lines.map((line) => JSON.parse(line)).find((line) => line.id === id);
  return found.words.map(({ text, end_ms }: { text: string; end_ms: number }) => ({ text, endMs: end_ms }));
}

async function play(url: string, id: string): Promise<Heard[]> {
  const clip = readClip(id);
  const heard: Heard[] = [];
  await playRecording(
    {
      recording: { pcm: new Uint8Array(clip.samples.buffer), sampleRateHz: clip.sampleRateHz },
      text: clip.text,
      url: checkUrl(url),
      token: undefined,
      frameMs: 20,
      emitIntervalMs,
      lane: 'live',
      cutAtMs: undefined,
      patience: { readyMs: 20_000, answerMs: 20_000, finalMs: 20_000 },
    },
    {
      onEvent: (event, atMs) => heard.push({ event, atMs }),
      onSpoken: () => {},
      onDropped: () => {},
      signal: new AbortController().signal,
    },
  );
  return heard;
}

/** From the end of each word to the first message that covers it, by what the server says it has scored. */
function byField(heard: readonly Heard[], words: readonly { endMs: number }[]): number[] {
  const covering = heard.filter(({ event }) =>
    ['phoneme_feedback', 'transcript', 'utterance_final'].includes(event.type),
  );
  return words.map(({ endMs }) => {
    const first = covering.find(({ event }) => event.audio_ms >= endMs);
    return (first?.atMs ?? Number.POSITIVE_INFINITY) - endMs;
  });
}

/** The same from its transcripts alone, as of a server that says no more. */
function byWords(heard: readonly Heard[], id: string, words: readonly { text: string; endMs: number }[]): number[] {
  const watch = new TextWatch(spokenText({ text: readClip(id).text, language: 'en-US', words }));
  for (const { event, atMs } of heard) {
    if (event.type === 'transcript') watch.see(event.text, 0, false, atMs);
    if (event.type !== 'utterance_final') continue;
    const read = event.words.filter(({ error_type }) => error_type !== 'omission').map((word) => word.text);
    watch.see(read.join(' '), 0, true, atMs);
  }
  return words.map(({ endMs }, place) => watch.firstMs(place) - endMs);
}

it('tells by words the latency that it tells by field, within an emit interval', async () => {
  const { engine, scoring } = model;
  const server = await serve({ engine, scoring });
  const latencies = await Promise.all(
    ids.map(async (id) => {
      const heard = await play(server.url, id);
      const words = endsOf(id);
      return { field: byField(heard, words), words: byWords(heard, id, words) };
    }),
  );
  const median = (all: number[]) =>
    quantileOfSorted(
      all.sort((a, b) => a - b),
      0.5,
    );
  const field = latencies.flatMap((one) => one.field);
  const words = latencies.flatMap((one) => one.words);
  expect(words.length).toBeGreaterThanOrEqual(50);
  expect(words.every(Number.isFinite)).toBe(true);
  expect(Math.abs(median(words) - median(field))).toBeLessThanOrEqual(emitIntervalMs);
});
