import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Backend, BackendError, ErrorClass, HearingEvents, HearingText } from '../../src/backends/backend.ts';
import { type BackendSources, createBackends } from '../../src/backends/create-backends.ts';
import { localBackend } from '../../src/backends/local.ts';
import { scripted } from '../../src/backends/scripted.ts';
import { systemTime } from '../../src/backends/time.ts';
import { script } from '../../src/routing/policy/script.ts';
import { policySpec } from '../../src/routing/policy/spec.ts';
import { freePort } from '../kit/free-port.ts';
import { localhostTls } from '../kit/localhost.ts';
import { deepgram } from '../kit/vendors/deepgram.ts';
import { startVendor, type Vendor } from '../kit/vendors/emulator.ts';
import { rubbish, type VendorFaults } from '../kit/vendors/faults.ts';
import { openaiRealtime } from '../kit/vendors/openai-realtime.ts';
import { everybodySays } from '../kit/vendors/script.ts';
import { startTranscriptions, type TranscriptionFaults } from '../kit/vendors/transcriptions.ts';

const key = 'sesame-7f3a';
const said = 'one two three';
const find = everybodySays(
  [
    ['one', 200],
    ['two', 400],
    ['three', 600],
  ],
  800,
);
const says = [
  { at: '300ms', text: 'one' },
  { at: '500ms', text: 'one two' },
  { at: '700ms', text: said },
];

/** How the real part of a kind goes wrong, and the policy's words for the backend. */
type Faults = {
  vendor?: VendorFaults;
  batch?: TranscriptionFaults;
  script?: readonly object[];
  /** It wants another key than ours. */
  key?: string;
  /** Its certificate is signed by nobody whom we know. */
  tls?: typeof localhostTls;
};

type Start = (faults?: Faults) => Promise<object>;

const vendor =
  (kind: string, of: Vendor): Start =>
  async ({ vendor: faults = {}, key: wanted = key, tls } = {}) => {
    const running = await startVendor(of, { find, faults, key: wanted, ...(tls && { tls }) });
    onTestFinished(() => running.close());
    return { kind, url: running.url.replace(of.path, ''), apiKey: '${env:VENDOR_KEY}' };
  };

const starts = {
  local: async ({ script: faults = [] } = {}) => ({ kind: 'local', script: { says, faults } }),
  scripted: async ({ script: faults = [] } = {}) => ({ kind: 'scripted', script: { says, faults } }),
  deepgram: vendor('deepgram', deepgram),
  'openai-realtime': vendor('openai-realtime', openaiRealtime),
  'http-batch': async ({ batch: faults = {}, key: wanted = key, tls } = {}) => {
    const running = await startTranscriptions({ text: said, key: wanted, faults, ...(tls && { tls }) });
    onTestFinished(() => running.close());
    return { kind: 'http-batch', url: running.url, apiKey: '${env:VENDOR_KEY}' };
  },
} satisfies Record<string, Start>;
type Kind = keyof typeof starts;
const kinds = Object.keys(starts) as Kind[];

/** The backend of a policy that names it, with its guards. */
function fromPolicy(given: object, timeouts: BackendSources['timeouts'] = {}): Backend {
  vi.stubEnv('VENDOR_KEY', key);
  const { script: own, ...fields } = given as { kind: string; script?: object };
  const isLocal = fields.kind === 'local';
  const backend = { name: 'it', price: '$0.01/min', ...fields, ...(own && !isLocal && { script: own }) };
  const { backends } = policySpec.parse({ backends: [backend], rules: [{ name: 'all', to: { it: '100%' } }] });
  const pipeline = scripted('it', script.parse(own ?? {}), systemTime);
  const made = createBackends(backends, {
    local: (name) => localBackend(name, (input, on) => pipeline.open(input, on)),
    policyFile: 'policy.yaml',
    timeouts,
  }).get('it')!;
  onTestFinished(async () => {
    await made.close();
    vi.unstubAllEnvs();
  });
  return made;
}

async function start(kind: Kind, faults: Faults = {}, timeouts: BackendSources['timeouts'] = {}): Promise<Backend> {
  return fromPolicy(await starts[kind](faults), timeouts);
}

/** What a hearing tells, and when it has told enough. */
class Listener implements HearingEvents {
  readonly told: ('ready' | HearingText | BackendError)[] = [];
  #waiting: (() => void)[] = [];

  onReady(): void {
    this.#tell('ready');
  }

  onText(text: HearingText): void {
    this.#tell(text);
  }

  onError(error: BackendError): void {
    this.#tell(error);
  }

  get texts(): HearingText[] {
    return this.told.filter((one) => one !== 'ready').filter((one) => 'utterance' in one);
  }

  get finals(): HearingText[] {
    return this.texts.filter(({ isFinal }) => isFinal);
  }

  get errors(): BackendError[] {
    return this.told.filter((one) => one !== 'ready').filter((one) => 'class' in one);
  }

  async until(enough: () => boolean): Promise<void> {
    while (!enough()) {
      if (this.errors.length > 0) return;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #tell(one: 'ready' | HearingText | BackendError): void {
    this.told.push(one);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

const input = { session: 's1', language: 'en-US', sampleRateHz: 16_000, reference: said };

/** 800 ms of sound in frames of 20 ms, each in the memory of the one before. */
function speak(
  hearing: ReturnType<Backend['open']>,
  { fromMs = 5000, rateHz = 16_000, floats = false }: { fromMs?: number; rateHz?: number; floats?: boolean } = {},
): void {
  const pcm = floats ? new Float32Array(rateHz / 50) : new Int16Array(rateHz / 50);
  for (let frame = 0; frame < 40; frame++) {
    for (let i = 0; i < pcm.length; i++) pcm[i] = Math.sin((i * 440 * 2 * Math.PI) / rateHz) * (floats ? 0.3 : 9000);
    hearing.push(pcm, fromMs + frame * 20);
    pcm.fill(0);
  }
}

describe.each(kinds)('%s', (kind) => {
  it('is ready once, writes, and ends with one final, all on the clock of the session', async () => {
    const backend = await start(kind);
    const listener = new Listener();
    const hearing = backend.open(input, listener);
    expect(listener.told).toEqual([]);
    speak(hearing);
    hearing.utteranceOver();
    hearing.utteranceOver();
    await listener.until(() => listener.finals.length > 0);
    expect(listener.errors).toEqual([]);
    expect(listener.told[0]).toBe('ready');
    expect(listener.told.filter((one) => one === 'ready')).toHaveLength(1);
    expect(listener.finals).toMatchObject([{ utterance: 0, text: said, settled: said.length }]);
    for (const { coversMs, words, settled, text } of listener.texts) {
      if (coversMs !== undefined) expect(Math.abs(coversMs - 5400)).toBeLessThanOrEqual(420);
      for (const { endMs } of words ?? [])
        if (endMs !== undefined) expect(Math.abs(endMs - 5400)).toBeLessThanOrEqual(420);
      expect(settled).toBeLessThanOrEqual(text.length);
    }
    hearing.close();
  });

  it('gives each utterance its final, in turn, those without sound too', async () => {
    const backend = await start(kind);
    const listener = new Listener();
    const hearing = backend.open(input, listener);
    speak(hearing);
    hearing.next(said);
    speak(hearing, { fromMs: 7000 });
    hearing.utteranceOver();
    hearing.next(said);
    hearing.next(said);
    speak(hearing, { fromMs: 9000 });
    hearing.utteranceOver();
    await listener.until(() => listener.finals.length > 3);
    expect(listener.errors).toEqual([]);
    expect(listener.finals.map(({ utterance, text }) => [utterance, text])).toEqual([
      [0, said],
      [1, said],
      [2, ''],
      [3, said],
    ]);
  });

  it.each([
    [8000, false],
    [44_100, true],
    [48_000, false],
  ])('hears sound of %d Hz, as floats: %s', async (rateHz, floats) => {
    const backend = await start(kind);
    const listener = new Listener();
    const hearing = backend.open({ ...input, sampleRateHz: rateHz }, listener);
    speak(hearing, { rateHz, floats });
    hearing.utteranceOver();
    await listener.until(() => listener.finals.length > 0);
    expect(listener.told.at(-1)).toMatchObject({ text: said, isFinal: true });
  });

  it('hears many at once, each by itself', async () => {
    const backend = await start(kind);
    const listeners = Array.from({ length: 12 }, () => new Listener());
    for (const [index, listener] of listeners.entries()) {
      const hearing = backend.open({ ...input, session: `s${index}` }, listener);
      speak(hearing);
      hearing.utteranceOver();
    }
    for (const listener of listeners) {
      await listener.until(() => listener.finals.length > 0);
      expect(listener.finals).toMatchObject([{ utterance: 0, text: said }]);
    }
  });

  it.each(['the hearing', 'the backend'])('says nothing more once %s is closed, which always ends', async (what) => {
    const backend = await start(kind);
    const listener = new Listener();
    const hearing = backend.open(input, listener);
    await listener.until(() => listener.told.length > 0);
    speak(hearing);
    if (what === 'the hearing') hearing.close();
    const before = listener.told.length;
    await backend.close();
    speak(hearing);
    hearing.utteranceOver();
    hearing.next();
    hearing.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(listener.told.slice(before)).toEqual([]);
  });
});

/** Short, for what does nothing, or nothing that counts: it is found by a timeout, a fault like any other. */
const hasty: BackendSources['timeouts'] = {
  ready: { floorMs: 500, ceilingMs: 500 },
  final: { floorMs: 500, ceilingMs: 500 },
};
const silent = /hangs|never|ignores|answers/;

const vendorFaults: [string, Faults, ErrorClass][] = [
  ['refuses as too many come', { vendor: { refuse: { status: 429, retryAfterS: 7 } } }, 'rate'],
  ['refuses as nobody pays', { vendor: { refuse: { status: 402 } } }, 'budget'],
  ['does not know the key', { key: 'another' }, 'auth'],
  ['is full', { vendor: { refuse: { status: 503 } } }, 'fault'],
  ['sends callers elsewhere', { vendor: { redirect: 'ws://127.0.0.1:9/' } }, 'fault'],
  ['cuts in the middle', { vendor: { cutAtMs: 300 } }, 'fault'],
  ['closes in the middle', { vendor: { close: { atMs: 300, code: 1011, reason: 'restart' } } }, 'fault'],
  ['fails in its own words', { vendor: { errorAtMs: 300 } }, 'fault'],
  ['hangs in the middle', { vendor: { hangAtMs: 300 } }, 'fault'],
  ['never gives a final', { vendor: { neverFinal: true } }, 'fault'],
  ['has a certificate that nobody signed', { tls: localhostTls }, 'fault'],
  ...Object.keys(rubbish).map((one): [string, Faults, ErrorClass] => [
    `answers ${one}`,
    { vendor: { rubbish: { atMs: 0, kind: one as keyof typeof rubbish } } },
    'fault',
  ]),
];

const batchFaults: [string, Faults, ErrorClass][] = [
  ['refuses as too many come', { batch: { refuse: { status: 429, retryAfterS: 7 } } }, 'rate'],
  ['refuses as the quota is spent', { batch: { refuse: { status: 429, code: 'insufficient_quota' } } }, 'budget'],
  ['refuses as nobody pays', { batch: { refuse: { status: 402 } } }, 'budget'],
  ['does not know the key', { key: 'another' }, 'auth'],
  ['is full', { batch: { refuse: { status: 503 } } }, 'fault'],
  ['cuts in the middle of its answer', { batch: { cuts: true } }, 'fault'],
  ['hangs', { batch: { hangs: true } }, 'fault'],
  ['answers no JSON', { batch: { rubbish: '<html>' } }, 'fault'],
  ['answers another JSON', { batch: { rubbish: '{"hyp":"one"}' } }, 'fault'],
  ['answers without end', { batch: { rubbish: `{"text":"${'a'.repeat(1_100_000)}"}` } }, 'fault'],
  ['has a certificate that nobody signed', { tls: localhostTls }, 'fault'],
];

const scriptFaults: [string, Faults, ErrorClass][] = [
  ['refuses as too many come', { script: [{ kind: 'refuse', as: 'rate', retryAfter: '7s' }] }, 'rate'],
  ['refuses as nobody pays', { script: [{ kind: 'refuse', as: 'budget' }] }, 'budget'],
  ['does not know the key', { script: [{ kind: 'refuse', as: 'auth' }] }, 'auth'],
  ['refuses for no reason', { script: [{ kind: 'refuse' }] }, 'fault'],
  ['ignores the session', { script: [{ kind: 'ignore' }] }, 'fault'],
  ['hangs', { script: [{ kind: 'hang' }] }, 'fault'],
  ['answers rubbish', { script: [{ kind: 'rubbish' }] }, 'fault'],
  [
    'cuts',
    {
      script: [
        { kind: 'cut', from: '250ms' },
        { kind: 'slow', by: '2s' },
      ],
    },
    'fault',
  ],
];

it.each([
  ...(['deepgram', 'openai-realtime'] as const).flatMap((kind) => vendorFaults.map((row) => [kind, ...row] as const)),
  ...batchFaults.map((row) => ['http-batch', ...row] as const),
  ...(['scripted', 'local'] as const).flatMap((kind) => scriptFaults.map((row) => [kind, ...row] as const)),
])('%s that %s ends with one error, the last word', async (kind, how, faults, expected) => {
  const backend = await start(kind, faults, silent.test(how) ? hasty : {});
  const listener = new Listener();
  const hearing = backend.open(input, listener);
  speak(hearing);
  hearing.utteranceOver();
  await listener.until(() => false);
  expect(listener.errors).toMatchObject([{ class: expected }]);
  expect(listener.told.at(-1)).toBe(listener.errors[0]);
  const [{ message, retryAfterMs }] = listener.errors as [BackendError];
  expect(message).toMatch(/^it[ :]/);
  expect(message).not.toContain(key);
  expect(message).not.toContain('three');
  if (expected === 'rate') expect(retryAfterMs).toBe(7000);
});

it.each<[Kind, Faults]>([
  ['deepgram', { vendor: { delayMs: 300 } }],
  ['deepgram', { vendor: { swaps: true, duplicateFinals: true } }],
  ['openai-realtime', { vendor: { delayMs: 300 } }],
  ['http-batch', { batch: { delaysMs: [300] } }],
  ['scripted', { script: [{ kind: 'slow', by: '300ms' }] }],
])('%s that is late or repeats itself, %j, writes the same', async (kind, faults) => {
  const backend = await start(kind, faults);
  const listener = new Listener();
  const hearing = backend.open(input, listener);
  speak(hearing);
  hearing.next();
  speak(hearing, { fromMs: 7000 });
  hearing.utteranceOver();
  await listener.until(() => listener.finals.length > 1);
  expect(listener.finals.map(({ utterance, text }) => [utterance, text])).toEqual([
    [0, said],
    [1, said],
  ]);
});

it.each(['deepgram', 'openai-realtime', 'http-batch'] as const)('%s that nobody serves is a fault', async (kind) => {
  const scheme = kind === 'http-batch' ? 'http' : 'ws';
  const backend = fromPolicy({ kind, url: `${scheme}://127.0.0.1:${await freePort()}` });
  const listener = new Listener();
  const hearing = backend.open(input, listener);
  speak(hearing);
  hearing.utteranceOver();
  await listener.until(() => false);
  expect(listener.errors).toMatchObject([{ class: 'fault', message: expect.stringContaining('ECONNREFUSED') }]);
});
