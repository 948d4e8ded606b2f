import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { assemblyai } from '../test/kit/vendors/assemblyai.ts';
import { deepgram } from '../test/kit/vendors/deepgram.ts';
import { deepgramFlux } from '../test/kit/vendors/deepgram-flux.ts';
import { startVendor, type Vendor, type VendorOptions } from '../test/kit/vendors/emulator.ts';
import { funasr } from '../test/kit/vendors/funasr.ts';
import { type Ledger, percentileOf } from '../test/kit/vendors/ledger.ts';
import { openaiRealtime } from '../test/kit/vendors/openai-realtime.ts';
import { startRiva } from '../test/kit/vendors/riva.ts';
import { everybodySays } from '../test/kit/vendors/script.ts';
import { sherpaOnnx } from '../test/kit/vendors/sherpa-onnx.ts';
import { vllmRealtime } from '../test/kit/vendors/vllm-realtime.ts';
import { vosk } from '../test/kit/vendors/vosk.ts';
import { type OneClip, runLoadtest } from './load/run-loadtest.ts';

// Does a load test tell the truth of a server that is not ours? Each vendor's emulator stands still for a second amid the test,
// and keeps its own books of what phones felt: the p99 that is reported is to be within 2 % of theirs.
//   npm run bench stall -- --only deepgram,vosk --learners 10 --seconds 20
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    learners: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '20' },
  },
});
const intervalMs = 100;

type Emulator = { readonly url: string; readonly ledger: Ledger; close(): Promise<void> };
type Case = {
  start(options: Pick<VendorOptions, 'find' | 'faults'>): Promise<Emulator>;
  protocol: string;
  options?: object;
  frameMs?: number;
  metric: keyof typeof felt;
};
const by = (vendor: Vendor) => (options: VendorOptions) => startVendor(vendor, options);
/** What is known of phones, by the metric that a protocol allows: an interval counts from its last frame's beginning. */
const felt = {
  feedback_latency: (ledger: Ledger, frameMs: number) =>
    ledger.feedbackLatenciesMs(intervalMs).map((ms) => ms + frameMs),
  word_latency: (ledger: Ledger) => ledger.wordLatenciesMs(),
};
const cases: Record<string, Case> = {
  deepgram: { start: by(deepgram), protocol: 'deepgram', frameMs: 20, metric: 'feedback_latency' },
  'deepgram-flux': { start: by(deepgramFlux), protocol: 'deepgram-flux', frameMs: 20, metric: 'feedback_latency' },
  openai: { start: by(openaiRealtime), protocol: 'openai-realtime', metric: 'word_latency' },
  vllm: {
    start: by(vllmRealtime),
    protocol: 'openai-realtime',
    options: { model: 'voxtral', sampleRate: 16_000 },
    metric: 'word_latency',
  },
  'assemblyai-v3': { start: by(assemblyai), protocol: 'assemblyai-v3', metric: 'word_latency' },
  vosk: { start: by(vosk), protocol: 'vosk', frameMs: 20, metric: 'feedback_latency' },
  'sherpa-onnx': { start: by(sherpaOnnx), protocol: 'sherpa-onnx', metric: 'word_latency' },
  funasr: { start: by(funasr), protocol: 'funasr', metric: 'word_latency' },
  riva: { start: startRiva, protocol: 'riva', frameMs: 100, metric: 'feedback_latency' },
};

const clip = clipOf('locate');
const table = new Table({
  head: ['vendor', 'metric', 'felt', 'reported', 'p99 felt', 'p99 reported', 'error'],
  style: { head: [], border: [] },
});
for (const [name, one] of Object.entries(cases)) {
  if (values.only !== '' && !values.only.split(',').includes(name)) continue;
  try {
    table.push(await measure(name, one));
  } catch (error) {
    table.push([name, { colSpan: 6, content: `failed: ${(error as Error).message.slice(0, 300)}` }]);
  }
}
process.stdout.write(
  `${table}\np99 in ms; a stall of 1 s; felt: samples of the vendor's books, which count from due times as well\n`,
);

async function measure(
  name: string,
  { start, protocol, options, frameMs, metric }: Case,
): Promise<(string | number)[]> {
  const seconds = Number(values.seconds);
  const words = clip.words.map(({ text, end_ms }) => [text, end_ms] as const);
  const running = await start({
    find: everybodySays(words, clip.seconds * 1000),
    faults: { stall: { lengthMs: 1000, everyMs: 1e9, firstMs: (seconds / 2) * 1000 } },
  });
  try {
    const report = await runLoadtest(
      {
        target: { url: running.url, protocol, ...(options && { options }) },
        load: { learners: Number(values.learners), ramp: '2s' },
        duration: `${seconds}s`,
        seed: 1,
        objectives: [`p99(${metric}) < 5s`],
      },
      clip,
      frameMs,
    );
    const reported = report.distributions[metric];
    if (!reported) throw new Error(`${protocol} reports no ${metric}`);
    const known = felt[metric](running.ledger, frameMs ?? 0);
    const p99 = percentileOf(known, 0.99);
    const told = reported.p99_ms ?? Number.POSITIVE_INFINITY;
    const error = `${(((told - p99) / p99) * 100).toFixed(1)} %`;
    const row = [name, metric, known.length, reported.samples, p99.toFixed(1), told.toFixed(1), error];
    process.stderr.write(`${row.join('  ')}\n`);
    return row;
  } finally {
    await running.close();
  }
}

function clipOf(id: string): OneClip & { seconds: number } {
  const lines = readFileSync('fixtures/audio/manifest.jsonl', 'utf8').trim().split('\n');
  const entry: (OneClip & { seconds: number }) | undefined = lines
    .map((line) => JSON.parse(line))
    .find((one) => one.id === id);
  if (!entry) throw new Error(`no clip ${id} in fixtures/audio/manifest.jsonl`);
  return { ...entry, audio: resolve('fixtures/audio', entry.audio) };
}
