import { describe, it } from 'vitest';
import { createDialect, type DialectSpec, dialectSpec } from '../../../src/dialects/catalogue.ts';
import { type GeneratorTask, runGenerator } from '../../../src/load/generator/generator.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { measurementsOf } from '../../../src/results/measurements.ts';
import { plansOf, taskOf } from '../../kit/shard.ts';
import { assemblyai } from '../../kit/vendors/assemblyai.ts';
import { deepgram } from '../../kit/vendors/deepgram.ts';
import { deepgramFlux } from '../../kit/vendors/deepgram-flux.ts';
import { startVendor, type Vendor, type VendorOptions } from '../../kit/vendors/emulator.ts';
import { funasr } from '../../kit/vendors/funasr.ts';
import { invented } from '../../kit/vendors/invented.ts';
import { openaiRealtime } from '../../kit/vendors/openai-realtime.ts';
import type { Said } from '../../kit/vendors/recogniser.ts';
import { everybodySays } from '../../kit/vendors/script.ts';
import { sherpaOnnx } from '../../kit/vendors/sherpa-onnx.ts';
import { vllmRealtime } from '../../kit/vendors/vllm-realtime.ts';
import { vosk } from '../../kit/vendors/vosk.ts';

const find = everybodySays(
  [
    ['Good', 300],
    ['morning', 700],
  ],
  1000,
);

const spoken: [protocol: string, vendor: Vendor, options?: Record<string, unknown>][] = [
  ['deepgram', deepgram],
  ['openai-realtime', openaiRealtime],
  ['openai-realtime', vllmRealtime, { model: 'voxtral' }],
  ['vosk', vosk],
  ['sherpa-onnx', sherpaOnnx],
  ['assemblyai-v3', assemblyai],
  ['funasr', funasr],
  ['deepgram-flux', deepgramFlux],
];

describe.concurrent('learners who speak', () => {
  it.for(spoken)(
    '%s to its emulator get each final, and no complaint',
    async ([protocol, vendor, options], { expect }) => {
      const { tally, measured, result } = await run(protocol, vendor, {}, options);
      expect(result.sessionErrors).toEqual([]);
      expect(tally).toMatchObject({ sessions: 3, sessions_ok: 3, sessions_died: 0, sessions_refused: 0 });
      expect(tally.utterances).toBe(tally.utterances_due);
      expect(measured.distributions.final_latency).toMatchObject({ samples: tally.utterances, never: 0 });
      expect(measured.distributions.connect_time).toMatchObject({ samples: 3, never: 0 });
      expect(measured.distributions.first_partial.never).toBe(0);
    },
  );
});

describe.concurrent('learners whose vendor', () => {
  it('cuts the connection are lost, and owe the rest', async ({ expect }) => {
    const { tally, result } = await run('deepgram', deepgram, { cutAtMs: 600 });
    expect(tally).toMatchObject({ sessions: 3, sessions_ok: 0, sessions_died: 3 });
    expect(result.sessionErrors.map(({ text }) => text).join()).toMatch(/^lost: .*\(1006\)/);
  });

  it('closes with 1008 before any answer are refused, in its words', async ({ expect }) => {
    const { tally, result } = await run('assemblyai-v3', assemblyai, {
      close: { atMs: 50, code: 1008, reason: 'Too many concurrent sessions' },
    });
    expect(tally).toMatchObject({ sessions: 3, sessions_refused: 3 });
    expect(result.sessionErrors[0]?.text).toBe('refused: Too many concurrent sessions (1008)');
  });

  it('says an error are lost in its words', async ({ expect }) => {
    const { tally, result } = await run('openai-realtime', openaiRealtime, { errorAtMs: 500 });
    expect(tally).toMatchObject({ sessions_died: 3 });
    const texts = result.sessionErrors.map(({ text }) => text);
    expect(texts).toContain('server_error: The server had an error.');
    expect(texts).toContain('lost: server_error: The server had an error. (1011)');
  });

  it('has too many callers come again when it says', async ({ expect }) => {
    const retry = { forMs: 2000, firstMs: 100, maxMs: 100 };
    const faults = { refuse: { status: 429, retryAfterS: 1, times: 1 } } as const;
    const { tally } = await run('deepgram', deepgram, faults, {}, { retry, durationMs: 3600 });
    expect(tally).toMatchObject({ sessions: 3, sessions_ok: 3, sessions_refused: 0, refusals: 1 });
  });

  it.for([
    ['not JSON', 'no JSON'],
    ['binary', 'a binary message, where JSON was due'],
    ['another dialect', 'a message without a type'],
  ] as const)('sends rubbish that is %s hear of it once, with an example', async ([kind, sentence], { expect }) => {
    const { tally, result } = await run('deepgram', deepgram, { rubbish: { atMs: 0, kind } });
    expect(tally).toMatchObject({ sessions_ok: 0, sessions_died: 3, utterances: 0 });
    const told = result.sessionErrors.filter(({ text }) => text.startsWith('not_understood: '));
    expect(told).toHaveLength(1);
    expect(told[0]?.text).toContain(sentence);
  });

  it('speaks another dialect hear which it looks like', async ({ expect }) => {
    const habits = { emitMs: 100, lagMs: 100, endpointMs: undefined };
    const answer = ({ words }: Said) => ({ partial: words.map(({ text }) => text).join(' ') });
    const other = { path: '/v1/listen', rateHz: 16_000, habits, understand: () => undefined, answer, error: {} };
    const { result } = await run('deepgram', invented(other));
    const texts = result.sessionErrors.map(({ text }) => text);
    expect(texts).toContainEqual(
      expect.stringMatching(
        /^not_understood: a message without a type; looks like vosk \(protocol: vosk\): \{"partial"/,
      ),
    );
  });

  it('says each final twice count it once', async ({ expect }) => {
    const { tally } = await run('deepgram', deepgram, { duplicateFinals: true });
    expect(tally).toMatchObject({ sessions_ok: 3 });
    expect(tally.utterances).toBe(tally.utterances_due);
  });

  it('waits for them, as they for it, are refused, and told so', async ({ expect }) => {
    const habits = { emitMs: 100, lagMs: 100, endpointMs: undefined };
    const other = {
      path: '/v1/realtime',
      rateHz: 24_000,
      habits,
      understand: () => undefined,
      answer: () => ({}),
      error: {},
    };
    const { tally, result } = await run('openai-realtime', invented(other));
    expect(tally).toMatchObject({ sessions: 3, sessions_refused: 3 });
    expect(result.sessionErrors).toEqual([
      { text: 'refused: the server was not ready when the test was over (1006)', count: 3 },
    ]);
  });

  it('never says a final wait for it, and count it as never', async ({ expect }) => {
    const { tally, measured, result } = await run('deepgram-flux', deepgramFlux, { neverFinal: true });
    expect(tally).toMatchObject({ sessions_ok: 0, utterances: 0 });
    expect(result.sessionErrors).toEqual([
      { text: 'lost: not every final had come when the test was over (1006)', count: 3 },
    ]);
    expect(measured.distributions.final_latency.never).toBe(measured.distributions.final_latency.samples);
  });
});

async function run(
  protocol: string,
  vendor: Vendor,
  faults: VendorOptions['faults'] = {},
  options: Record<string, unknown> = {},
  changes: Partial<GeneratorTask> = {},
) {
  const running = await startVendor(vendor, { find, faults });
  const dialect = specOf(protocol, options);
  const frameMs = createDialect(dialect).audio.messageMs;
  // Two whole utterances each.
  const { durationMs = 2500 } = changes;
  const plans = plansOf(3, { frameMs, durationMs });
  const task: GeneratorTask = taskOf(plans, {
    url: new URL('/', running.url).href,
    dialect,
    frameMs,
    durationMs,
    ...changes,
  });
  const result = await runGenerator(task, { onProgress() {}, signal: new AbortController().signal });
  await running.close();
  const recorder = new Recorder(result.recording).merged();
  return { result, measured: measurementsOf(recorder), tally: recorder.tally, running };
}

function specOf(protocol: string, options: Record<string, unknown>): DialectSpec {
  const read = dialectSpec(protocol, options);
  if ('problems' in read || !read.spec) throw new Error(JSON.stringify(read));
  return read.spec;
}
