import { expect, it, onTestFinished } from 'vitest';
import type { BackendError, HearingText } from '../../src/backends/backend.ts';
import { httpBatch } from '../../src/backends/http-batch.ts';
import type { HttpBatchOptions } from '../../src/backends/http-batch-options.ts';
import { RetryBudget } from '../../src/backends/retry-budget.ts';
import { systemTime } from '../../src/backends/time.ts';
import { SecretUrl } from '../../src/secret-url.ts';
import { startTranscriptions, type TranscriptionFaults } from '../kit/vendors/transcriptions.ts';

async function start(faults: TranscriptionFaults, options: Partial<HttpBatchOptions> = {}) {
  const server = await startTranscriptions({ text: 'one two', faults });
  const retryBudget = new RetryBudget();
  const url = SecretUrl.parse(`${server.url}/v1/audio/transcriptions`, 'http');
  const rest = { apiKey: undefined, model: 'whisper', retryBudget, time: systemTime };
  const backend = httpBatch({ name: 'it', url, ...rest, ...options });
  onTestFinished(async () => {
    await backend.close();
    await server.close();
  });
  return { server, backend, retryBudget };
}

/** Opens a hearing, and waits for its next final or error. */
function hear({ backend }: Awaited<ReturnType<typeof start>>, deadlineMs?: number, sampleRateHz = 16_000) {
  const told: (HearingText | BackendError)[] = [];
  let wake: () => void = () => {};
  const take = (one: HearingText | BackendError): void => {
    told.push(one);
    wake();
  };
  const input = { session: 's', language: 'en-US', sampleRateHz, reference: 'a b', deadlineMs };
  const hearing = backend.open(input, { onReady() {}, onText: take, onError: take });
  const last = async (): Promise<HearingText | BackendError> => {
    for (;;) {
      const one = told.at(-1);
      if (one && ('class' in one || one.isFinal)) return one;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  return { hearing, told, last };
}

it('posts an utterance as a WAV file with its model and language, and not with what was to be read', async () => {
  const started = await start({});
  const { hearing, last } = hear(started, undefined, 8000);
  hearing.push(new Int16Array(8000), 5000);
  hearing.utteranceOver();
  expect(await last()).toEqual({ utterance: 0, text: 'one two', settled: 7, isFinal: true, coversMs: 6000 });
  expect(started.server.posted).toEqual([
    { fields: { model: 'whisper', language: 'en', response_format: 'json' }, seconds: 1, sampleRateHz: 16_000 },
  ]);
});

it('posts what is longer than two minutes in pieces, and joins their texts', async () => {
  const started = await start({});
  const { hearing, told, last } = hear(started);
  for (let second = 0; second < 250; second++) hearing.push(new Int16Array(16_000), second * 1000);
  hearing.utteranceOver();
  expect(await last()).toMatchObject({ text: 'one two one two one two', isFinal: true });
  const lengths = started.server.posted.map(({ seconds }) => Math.round(seconds));
  expect(lengths.reduce((sum, one) => sum + one, 0)).toBe(250);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(121);
  for (const one of told) expect(one).toMatchObject({ utterance: 0 });
});

it('waits no longer than the session does', async () => {
  const { hearing, last } = hear(await start({ hangs: true }), 150);
  hearing.push(new Int16Array(800), 0);
  hearing.utteranceOver();
  expect(await last()).toEqual({ class: 'fault', message: 'it: no answer for 0.1 s' });
});

it.each<[string, TranscriptionFaults, Partial<HttpBatchOptions>, number]>([
  ['never, unless it is told to', { delaysMs: [300] }, {}, 1],
  ['when no text has come for a while, and takes what comes first', { delaysMs: [60_000, 0] }, { hedgeAfterMs: 50 }, 2],
  ['not while the first is in time', { delaysMs: [0] }, { hedgeAfterMs: 20_000 }, 1],
  [
    'not beyond the budget of retries',
    { delaysMs: [500, 0] },
    { hedgeAfterMs: 50, retryBudget: new RetryBudget(0, 0) },
    1,
  ],
])('asks a second time %s', async (_, faults, options, expected) => {
  const started = await start(faults, options);
  const { hearing, last } = hear(started);
  hearing.push(new Int16Array(800), 0);
  hearing.utteranceOver();
  expect(await last()).toMatchObject({ text: 'one two', isFinal: true });
  expect(started.server.posted).toHaveLength(expected);
  await started.backend.close();
  expect(started.retryBudget.retrying).toBe(0);
});

it('has given back its retry once the second answer is there, whichever was first', async () => {
  const retryBudget = new RetryBudget();
  const started = await start({ delaysMs: [300, 600] }, { hedgeAfterMs: 50, retryBudget });
  const { hearing, last } = hear(started);
  hearing.push(new Int16Array(800), 0);
  hearing.utteranceOver();
  await last();
  await started.backend.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(retryBudget.retrying).toBe(0);
});
