import { performance } from 'node:perf_hooks';
import { expect, it, onTestFinished } from 'vitest';
import { toS16le } from '../../../src/audio/pcm.ts';
import { readWav } from '../../../src/audio/wav.ts';
import { dialectLinks } from '../../../src/client/dialect-links.ts';
import { createDialect, dialectSpec } from '../../../src/dialects/catalogue.ts';
import { likelyProtocol } from '../../../src/dialects/likely-protocol.ts';
import { playProbe } from '../../../src/load/probe/play.ts';
import { ProbeReading } from '../../../src/load/probe/reading.ts';
import { assemblyai } from '../../kit/vendors/assemblyai.ts';
import { deepgram } from '../../kit/vendors/deepgram.ts';
import { deepgramFlux } from '../../kit/vendors/deepgram-flux.ts';
import { startVendor, type Vendor } from '../../kit/vendors/emulator.ts';
import { funasr } from '../../kit/vendors/funasr.ts';
import { openaiRealtime } from '../../kit/vendors/openai-realtime.ts';
import { startRiva } from '../../kit/vendors/riva.ts';
import { ClipBook } from '../../kit/vendors/script.ts';
import { sherpaOnnx } from '../../kit/vendors/sherpa-onnx.ts';
import { vosk } from '../../kit/vendors/vosk.ts';

const { find } = new ClipBook().addManifest('fixtures/audio/manifest.jsonl');
const wav = readWav('fixtures/audio/unlock.wav');
const text = 'To lock or unlock the conference.';
const ends = [260, 620, 960, 1440, 1540, 2360];
const words = text
  .replace('.', '')
  .split(' ')
  .map((word, place) => ({ text: word, endMs: ends[place]! }));

const of = (vendor: Vendor) => () => startVendor(vendor, { find });

async function probe(name: string, start: () => Promise<{ url: string; close(): Promise<void> }>) {
  const server = await start();
  onTestFinished(() => server.close());
  const read = dialectSpec(name);
  const dialect = createDialect(('spec' in read && read.spec) || expect.fail(name));
  const clip = { text, language: 'en-US', soundMs: wav.durationMs, speechBeginMs: 0, words };
  const reading = new ProbeReading(clip, dialect);
  const address = { url: server.url, token: undefined, tls: undefined };
  const run = await playProbe(
    {
      dialect,
      clip: { pcm: toS16le(wav.samples), sampleRateHz: wav.sampleRateHz },
      text,
      language: 'en-US',
      links: (request, wheel) =>
        dialectLinks(address, request, { clock: () => performance.now(), afterMessage: wheel.catchUp }),
      patience: { readyMs: 30_000, finalMs: 30_000 },
    },
    { onMessage: (message) => reading.add(message), signal: new AbortController().signal },
  );
  return { name, like: likelyProtocol(run.messages), summary: reading.summary() };
}

it('understands every message of every server whose protocol ships, and knows each by its messages', async () => {
  const all = await Promise.all([
    probe('deepgram', of(deepgram)),
    probe('deepgram-flux', of(deepgramFlux)),
    probe('openai-realtime', of(openaiRealtime)),
    probe('assemblyai-v3', of(assemblyai)),
    probe('vosk', of(vosk)),
    probe('sherpa-onnx', of(sherpaOnnx)),
    probe('funasr', of(funasr)),
    probe('riva', () => startRiva({ find })),
  ]);
  for (const { name, like, summary } of all) {
    const { counts, wer, wordLatency, finalLatencyMs } = summary;
    expect({ name, like, wer, strange: counts['not understood'] }).toEqual({
      name,
      // What is called over gRPC is no guess.
      like: name === 'riva' ? undefined : name,
      wer: { wrong: 0, spoken: 6 },
      strange: undefined,
    });
    expect(wordLatency!.maxMs, name).toBeLessThan(20_000);
    expect(finalLatencyMs, name).toBeLessThan(20_000);
  }
});
