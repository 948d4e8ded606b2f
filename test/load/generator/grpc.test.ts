import { describe, it } from 'vitest';
import { createDialect, type DialectSpec, dialectSpec } from '../../../src/dialects/catalogue.ts';
import { type GeneratorTask, runGenerator } from '../../../src/load/generator/generator.ts';
import { quantile } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { measurementsOf } from '../../../src/results/measurements.ts';
import { plansOf, taskOf } from '../../kit/shard.ts';
import { percentileOf } from '../../kit/vendors/ledger.ts';
import { type RivaOptions, startRiva } from '../../kit/vendors/riva.ts';
import { everybodySays } from '../../kit/vendors/script.ts';

const find = everybodySays(
  [
    ['Good', 300],
    ['morning', 700],
  ],
  1000,
);

describe.concurrent('learners who call Riva', () => {
  it('get each final, by calls that they half close, and no complaint', async ({ expect }) => {
    const { tally, measured, result, running } = await run();
    expect(result.sessionErrors).toEqual([]);
    expect(tally).toMatchObject({ sessions: 3, sessions_ok: 3, sessions_died: 0, sessions_refused: 0 });
    expect(tally.utterances).toBe(tally.utterances_due);
    expect(running.halfClosed).toBeGreaterThanOrEqual(tally.utterances);
    expect(measured.distributions.final_latency).toMatchObject({ samples: tally.utterances, never: 0 });
    expect(measured.distributions.connect_time).toMatchObject({ samples: 3, never: 0 });
    expect(measured.distributions.first_partial.never).toBe(0);
    expect(running.configs[0]).toMatchObject({
      interim_results: true,
      config: { encoding: 'LINEAR_PCM', sample_rate_hertz: 16_000, language_code: 'en-US' },
    });
  });

  // Both sides are on time on a machine that is: a busy one may need another try.
  it('feel its stall as its books say', { retry: 3 }, async ({ expect }) => {
    const { measured, running } = await run({ faults: { stall: { lengthMs: 600, everyMs: 10_000, firstMs: 900 } } });
    const felt = percentileOf(running.ledger.feedbackLatenciesMs(100), 1);
    expect(felt).toBeGreaterThan(300);
    // Ours counts from the first sample of a frame of 100 ms.
    expect(Math.abs(quantile(measured.distributions.feedback_latency, 1)! - felt - 100)).toBeLessThan(60);
  });

  it('hear all finals of an utterance that it cuts into segments', async ({ expect }) => {
    const { tally, result } = await run({ endpointMs: 200 });
    expect(result.sessionErrors).toEqual([]);
    expect(tally).toMatchObject({ sessions_ok: 3 });
    expect(tally.utterances).toBe(tally.utterances_due);
  });

  it.for([
    [401, 'UNAUTHENTICATED: no valid key was given (16)'],
    [429, 'RESOURCE_EXHAUSTED: too many concurrent streams (8)'],
    [503, 'UNAVAILABLE: the model is being loaded (14)'],
  ] as const)('are refused with %i in its words', async ([status, words], { expect }) => {
    const { tally, result } = await run({ faults: { refuse: { status } } });
    expect(tally).toMatchObject({ sessions: 3, sessions_ok: 0, sessions_refused: 3, sessions_died: 0 });
    expect(result.sessionErrors[0]?.text).toBe(`refused: ${words}`);
  });

  it('come again when it says', async ({ expect }) => {
    const retry = { forMs: 2000, firstMs: 100, maxMs: 100 };
    const faults = { refuse: { status: 429, retryAfterS: 1, times: 1 } } as const;
    const { tally } = await run({ faults }, { retry, durationMs: 3600 });
    expect(tally).toMatchObject({ sessions: 3, sessions_ok: 3, sessions_refused: 0, refusals: 1 });
  });

  it('are lost with its words when it fails', async ({ expect }) => {
    const { tally, result } = await run({ faults: { errorAtMs: 500 } });
    expect(tally).toMatchObject({ sessions_died: 3 });
    expect(result.sessionErrors[0]?.text).toBe('lost: INTERNAL: the model has failed (13)');
  });

  it('are lost, and owe the rest, when the connection is cut', async ({ expect }) => {
    const { tally, result } = await run({ faults: { cutAtMs: 600 } });
    expect(tally).toMatchObject({ sessions: 3, sessions_ok: 0, sessions_died: 3 });
    expect(result.sessionErrors[0]?.text).toBe('lost: the connection was cut (1006)');
  });

  it('count an utterance without a final as never, and are lost with the stream', async ({ expect }) => {
    const { tally, measured } = await run({ faults: { neverFinal: true } });
    expect(tally).toMatchObject({ sessions_ok: 0, utterances: 0 });
    expect(measured.distributions.final_latency.never).toBe(measured.distributions.final_latency.samples);
  });

  it.for(['not JSON', 'UTF-16'] as const)(
    'are told of bytes that are no message (%s), once',
    async (kind, { expect }) => {
      const { tally, result } = await run({ faults: { rubbish: { atMs: 0, kind } } });
      expect(tally).toMatchObject({ sessions_ok: 0, utterances: 0 });
      const told = result.sessionErrors.filter(({ text }) => text.startsWith('not_understood: '));
      expect(told).toHaveLength(1);
      expect(told[0]?.text).toContain('bytes that are none of its messages');
    },
  );

  it('show their key in the metadata', async ({ expect }) => {
    const authorization = 'Bearer sesame';
    const refused = await run({ authorization });
    expect(refused.tally).toMatchObject({ sessions_refused: 3 });
    const credentials = { headers: { Authorization: authorization }, query: {}, subprotocols: [], secrets: [] };
    expect((await run({ authorization }, { credentials })).tally).toMatchObject({ sessions_ok: 3 });
    expect((await run({ authorization }, { token: 'sesame' })).tally).toMatchObject({ sessions_ok: 3 });
  });

  it('are lost in a sentence where nobody answers', async ({ expect }) => {
    const { result, tally } = await run({}, { url: 'grpc://127.0.0.1:1' });
    expect(tally).toMatchObject({ sessions_ok: 0 });
    expect(result.sessionErrors[0]?.text).toMatch(/^refused: connect ECONNREFUSED 127\.0\.0\.1:1 \(1006\)$/);
  });
});

async function run(options: Partial<RivaOptions> = {}, changes: Partial<GeneratorTask> = {}) {
  const running = await startRiva({ find, ...options });
  const dialect = specOf('riva');
  const frameMs = createDialect(dialect).audio.messageMs;
  // Two whole utterances each.
  const { durationMs = 2500 } = changes;
  const plans = plansOf(3, { frameMs, durationMs });
  const task: GeneratorTask = taskOf(plans, { url: running.url, dialect, frameMs, durationMs, ...changes });
  const result = await runGenerator(task, { onProgress() {}, signal: new AbortController().signal });
  await running.close();
  const recorder = new Recorder(result.recording).merged();
  return { result, measured: measurementsOf(recorder), tally: recorder.tally, running };
}

function specOf(protocol: string): DialectSpec {
  const read = dialectSpec(protocol);
  if ('problems' in read || !read.spec) throw new Error(JSON.stringify(read));
  return read.spec;
}
