import { describe, it } from 'vitest';
import { createDialect, dialectSpec } from '../../../src/dialects/catalogue.ts';
import { runGenerator } from '../../../src/load/generator/generator.ts';
import type { DistributionName } from '../../../src/metrics/definitions.ts';
import { quantile } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { measurementsOf } from '../../../src/results/measurements.ts';
import { plansOf, taskOf, toneClip } from '../../kit/shard.ts';
import { startVendor, type Vendor } from '../../kit/vendors/emulator.ts';
import { type Ledger, percentileOf } from '../../kit/vendors/ledger.ts';
import { openaiRealtime } from '../../kit/vendors/openai-realtime.ts';
import { everybodySays } from '../../kit/vendors/script.ts';
import { vosk } from '../../kit/vendors/vosk.ts';

const words = [
  ['Good', 300],
  ['morning', 550],
  ['to', 700],
  ['you', 900],
] as const;
const clip = {
  ...toneClip,
  text: 'Good morning to you.',
  words: words.map(([text, endMs]) => ({ text, endMs })),
};
const frameMs = 20;
const intervalMs = 100;

/** What phones felt by the vendor's books; an interval counts from the beginning of its last frame. */
const felt = {
  word_latency: (ledger: Ledger) => ledger.wordLatenciesMs(),
  feedback_latency: (ledger: Ledger) => ledger.feedbackLatenciesMs(intervalMs).map((ms) => ms + frameMs),
};

describe.concurrent('of a server that stands still for a second', () => {
  it.for<[string, Vendor, DistributionName & keyof typeof felt]>([
    ['openai-realtime', openaiRealtime, 'word_latency'],
    ['vosk', vosk, 'feedback_latency'],
  ])('%s: the p99 that is reported is what phones felt', async ([protocol, vendor, metric], { expect }) => {
    const stall = { lengthMs: 1000, everyMs: 1e9, firstMs: 1800 };
    const running = await startVendor(vendor, { find: everybodySays(words, 1000), faults: { stall } });
    const read = dialectSpec(protocol);
    const dialect = ('spec' in read && read.spec) || expect.fail(protocol);
    const ownFrameMs = metric === 'feedback_latency' ? frameMs : createDialect(dialect).audio.messageMs;
    const durationMs = 5000;
    const result = await runGenerator(
      taskOf(plansOf(5, { durationMs, clip, frameMs: ownFrameMs }), {
        url: running.url,
        dialect,
        clips: [clip],
        frameMs: ownFrameMs,
        emitIntervalMs: intervalMs,
        durationMs,
      }),
      { onProgress() {}, signal: new AbortController().signal },
    );
    await running.close();
    const reported = measurementsOf(new Recorder(result.recording).merged()).distributions[metric];
    const known = felt[metric](running.ledger);
    expect(result.sessionErrors).toEqual([]);
    expect(reported).toMatchObject({ samples: known.length, never: 0 });
    const p99Ms = percentileOf(known, 0.99);
    // The stall is in it: without one it would be some 100 ms.
    expect(p99Ms).toBeGreaterThan(900);
    expect(Math.abs(quantile(reported, 0.99)! - p99Ms) / p99Ms).toBeLessThan(0.05);
  });
});
