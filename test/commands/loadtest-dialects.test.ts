import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { speechfb } from '../kit/command.ts';
import { localhostTls } from '../kit/localhost.ts';
import { bin, runProgram } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';
import { deepgram } from '../kit/vendors/deepgram.ts';
import { startVendor, type Vendor, type VendorOptions } from '../kit/vendors/emulator.ts';
import { type InventedProtocol, invented } from '../kit/vendors/invented.ts';
import { openaiRealtime } from '../kit/vendors/openai-realtime.ts';
import { ClipBook } from '../kit/vendors/script.ts';
import { vosk } from '../kit/vendors/vosk.ts';

const scratch = temporaryDirectory();
const key = 'sk-plantedkey123';
const manifest = resolve('fixtures/audio/manifest.jsonl');
const { find } = new ClipBook().addManifest(manifest);

beforeAll(() => {
  process.env.SPEECHFB_TEST_VENDOR_KEY = key;
  writeFileSync(join(scratch, 'key'), `${key}\n`);
  writeFileSync(join(scratch, 'number.mjs'), 'export default 5;\n');
  writeFileSync(join(scratch, 'awaits.mjs'), 'export default await Promise.resolve(5);\n');
});
afterAll(() => {
  delete process.env.SPEECHFB_TEST_VENDOR_KEY;
});

async function start(vendor: Vendor, options: Partial<VendorOptions> = {}) {
  const running = await startVendor(vendor, { find, ...options });
  onTestFinished(() => running.close());
  return running;
}

let scenarios = 0;

/** A scenario whose target stands in line 5. */
function scenario(target: string, objectives = ['p95(final_latency) < 60s'], more = ''): string {
  const file = join(scratch, `scenario-${++scenarios}.yaml`);
  writeFileSync(
    file,
    `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: foreign }
spec:
  target: ${target}
  learners: { clips: [{ manifest: ${manifest}, only: [leader] }] }
  load: { learners: 3 }
  duration: 4s
${more}  objectives: [${objectives.map((one) => JSON.stringify(one)).join(', ')}]
`,
  );
  return file;
}

const acme: InventedProtocol = {
  path: '/stt',
  rateHz: 16_000,
  habits: { emitMs: 200, lagMs: 100, endpointMs: undefined },
  greeting: { kind: 'hello' },
  understand: ({ cmd, chunk }) => {
    if (typeof chunk === 'string') return { audio: chunk };
    if (cmd === 'stop') return 'finish';
    if (cmd === 'bye') return 'close';
    return cmd === 'go' ? { say: { kind: 'going' } } : undefined;
  },
  answer: (said) => ({
    kind: said.is === 'final' ? 'done' : 'so far',
    result: { best: [{ text: said.words.map(({ text }) => text).join(' ') }] },
    from: said.startMs / 1000,
    length: (said.coversMs - said.startMs) / 1000,
  }),
  error: { kind: 'trouble', why: 'it broke' },
};

const acmeMapping = `apiVersion: speechfb.dev/v1alpha1
kind: StreamProtocol
metadata: { name: acme }
spec:
  connect: { path: "/stt?rate={sampleRate}&lang={language}" }
  audio: { as: base64, in: /chunk, of: { seq: 1 }, message: 40ms }
  open: [{ await: { kind: hello } }, { send: { cmd: go, text: "{reference}" } }, { await: { kind: going } }]
  utteranceOver: [{ send: { cmd: stop } }]
  close: [{ send: { cmd: bye } }]
  receive:
    - { when: { kind: done }, is: final, text: /result/best/0/text, coversTo: [/from, /length] }
    - { when: { kind: so far }, is: partial, text: /result/best/0/text, coversTo: [/from, /length] }
    - { when: { kind: trouble }, is: error, message: /why }
`;

/** The same in code, its sound in binary messages of another length. */
const acmeModule = `export default ({ stop }) => ({
  name: 'acme',
  audio: { encoding: 'pcm_s16le', sampleRateHz: 16000, messageMs: 100 },
  tells: { reach: 'field', partials: true },
  connect: () => ({ path: '/stt' }),
  speaker({ reference }) {
    let utterance = 0;
    let over = false;
    return {
      readyAtOnce: false,
      opened: () => [JSON.stringify({ cmd: 'go', text: reference.text })],
      audio: (sound, index) => sound.at(index),
      utteranceOver() {
        over = true;
        return [JSON.stringify({ cmd: stop })];
      },
      next: () => (over = false, []),
      quiet: () => [],
      close: () => [JSON.stringify({ cmd: 'bye' })],
      heard(message) {
        const { kind, result, from, length } = JSON.parse(message);
        if (kind === 'hello') return [{ is: 'nothing' }];
        if (kind === 'going') return [{ is: 'ready' }];
        const [{ text }] = result.best;
        const is = kind === 'done' ? 'final' : 'partial';
        const settled = is === 'final' ? text.length : 0;
        return [{ is, utterance: is === 'final' ? utterance++ : utterance, text, settled, coversMs: (from + length) * 1000 }];
      },
    };
  },
});
`;

describe('speechfb loadtest', () => {
  it('loads a server of an invented protocol by YAML alone, and keeps its key to itself', async () => {
    const vendor = await start(invented(acme), { key: `Key ${key}` });
    writeFileSync(join(scratch, 'acme.yaml'), acmeMapping);
    const out = join(scratch, 'run');
    const url = new URL('/', vendor.url).href;
    const auth = '{ header: Authorization, value: "Key ${env:SPEECHFB_TEST_VENDOR_KEY}" }';
    const objectives = ['p95(feedback_latency) < 60s', 'p95(word_latency) < 60s', 'availability >= 50%'];
    const file = scenario(`{ url: "${url}", protocol: acme.yaml, auth: ${auth} }`, objectives);
    const ran = await runProgram(['loadtest', file, '--out', out, '--assume-independent', '--json']);
    expect(ran.stderr).toContain('sends');
    const report = JSON.parse(ran.stdout);
    expect(report.totals).toMatchObject({ sessions: 3, sessions_ok: 3 });
    expect(report.scenario.frame_ms).toBe(40);
    expect(vendor.requests.at(-1)?.query.get('rate')).toBe('16000');
    expect(vendor.texts.some((text) => text.includes('"text":"The conference will begin'))).toBe(true);
    const files = readdirSync(out).map((name) => {
      const bytes = readFileSync(join(out, name));
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
    });
    for (const text of [ran.stdout, ran.stderr, ...files]) expect(text).not.toContain(key);
  });

  it('loads it in code, with options, in every process of its own', async () => {
    const vendor = await start(invented(acme));
    writeFileSync(join(scratch, 'acme.mjs'), acmeModule);
    const url = new URL('/', vendor.url).href;
    const target = `{ url: "${url}", protocol: ./acme.mjs, options: { stop: stop } }`;
    const ran = await runProgram([
      ...['loadtest', scenario(target, ['p95(feedback_latency) < 60s', 'wer <= 50%'])],
      ...['--json', '--assume-independent', '--generators', '2'],
    ]);
    const report = JSON.parse(ran.stdout);
    expect(report.totals).toMatchObject({ sessions: 3, sessions_ok: 3 });
    expect(report.generators).toHaveLength(2);
    expect(report.session_errors).toEqual([]);
    expect(report.distributions.feedback_latency).toMatchObject({ never: 0 });
    expect(report.rates.wer).toMatchObject({ count: 0 });
    expect(vendor.texts).toContain('{"cmd":"stop"}');
  });

  it.each<[string, Vendor, Partial<VendorOptions>, string, string]>([
    [
      'a key that is wrong',
      deepgram,
      { key: 'other' },
      'protocol: deepgram, auth: { header: Authorization, value: "Token ${env:SPEECHFB_TEST_VENDOR_KEY}" }',
      'INVALID_AUTH: Invalid credentials.',
    ],
    [
      'too many requests',
      openaiRealtime,
      { faults: { refuse: { status: 429, retryAfterS: 7 } } },
      'protocol: openai-realtime',
      'Rate limit reached. Please try again later.) ; it asks to come again in 7 s'.replace(') ;', ');'),
    ],
    [
      'a redirect',
      vosk,
      { faults: { redirect: 'wss://elsewhere.example/x' } },
      'protocol: vosk',
      'leads to wss://elsewhere.example/x, which is not followed',
    ],
    [
      'a certificate for another name',
      vosk,
      { tls: localhostTls },
      `protocol: vosk, tls: { ca: ${resolve('test/kit/golden/localhost.cert.pem')} }`,
      'its certificate does not name 127.0.0.1',
    ],
    [
      'a certificate that nobody has signed',
      vosk,
      { tls: localhostTls },
      'protocol: vosk',
      'trust its authority with spec.target.tls.ca',
    ],
  ])('says in the words of the vendor, before any load: %s', async (_, vendor, options, target, sentence) => {
    const { url: named } = await start(vendor, options);
    const url = named.replace('wss://localhost', 'wss://127.0.0.1');
    const ran = await speechfb('loadtest', scenario(`{ url: "${url}", ${target} }`));
    expect(ran).toMatchObject({ status: 2, stderr: expect.stringContaining(sentence) });
    expect(ran.stderr).not.toContain(key);
  });

  it.each<[string, string, string]>([
    ['a key in a query', 'auth: { query: key, value: "${env:SPEECHFB_TEST_VENDOR_KEY}" }', key],
    ['a key from a file', 'auth: { subprotocol: token, value: "${file:key}" }', key],
  ])('shows the vendor %s', async (_, auth, shown) => {
    const vendor = await start(deepgram, { faults: { refuse: { status: 403 } } });
    await speechfb('loadtest', scenario(`{ url: "${vendor.url}", protocol: deepgram, ${auth} }`));
    const [request] = vendor.requests;
    expect([request?.query.get('key'), request?.offered[1]]).toContain(shown);
  });
});

describe('a target that is wrong is said at its line:', () => {
  const here = 'url: "ws://127.0.0.1:9"';
  it.each<[string, string, string[], string]>([
    ['no protocol', `{ ${here}, protocol: deepgrm }`, [], '"deepgrm" is no protocol (did you mean "deepgram"?)'],
    ['no file', `{ ${here}, protocol: ./nowhere.yaml }`, [], '"./nowhere.yaml" is not there'],
    [
      'an option',
      `{ ${here}, protocol: openai-realtime, options: { modell: x } }`,
      [],
      'options: unknown key "modell"',
    ],
    ['an option of ours', `{ ${here}, protocol: deepgram, options: { encoding: opus } }`, [], 'is set by the protocol'],
    ['options of none', `{ ${here}, options: { model: x } }`, [], 'are for other protocols'],
    [
      'a secret',
      `{ ${here}, protocol: deepgram, auth: { header: A, value: ${key} } }`,
      [],
      'is a secret, which no file should hold',
    ],
    [
      'two places',
      `{ ${here}, auth: { header: A, query: b, value: "\${env:X}" } }`,
      [],
      'in one of header, query, subprotocol',
    ],
    [
      'two tokens',
      `{ ${here}, tokenFile: key, auth: { header: authorization, value: "\${env:X}" } }`,
      [],
      'in which the token goes too',
    ],
    [
      'an unset variable',
      `{ ${here}, auth: { header: A, value: "\${env:SPEECHFB_UNSET}" } }`,
      [],
      'SPEECHFB_UNSET is not set',
    ],
    [
      'our own header',
      `{ ${here}, auth: { header: Upgrade, value: "\${env:X}" } }`,
      [],
      'is a header of the upgrade itself',
    ],
    [
      'a module that is no dialect',
      `{ ${here}, protocol: ./number.mjs }`,
      [],
      'number.mjs" exports no dialect: its default export is no object',
    ],
    [
      'a module that awaits',
      `{ ${here}, protocol: ./awaits.mjs }`,
      [],
      'awaits.mjs" cannot be loaded: it awaits outside of its functions',
    ],
    ['nobody there to speak it', '{ protocol: vosk }', [], 'vosk needs target.url'],
    ['nobody told what is read', '{ protocol: deepgram }', [], 'say reference: "{reference}"'],
    ['nobody told by a prompt', '{ protocol: openai-realtime }', [], 'say prompt: "{reference}"'],
    ['no phones', `{ ${here}, protocol: vosk }`, ['p95(phoneme_latency) < 1s'], 'tells no phones'],
    [
      'no reach',
      `{ ${here}, protocol: openai-realtime }`,
      ['p95(feedback_latency) < 1s'],
      'openai-realtime does not say how far it has heard: use word_latency',
    ],
    [
      'consent to another',
      '{ url: "wss://api.example.com/v1", consent: api.example.org }',
      [],
      'is for "api.example.org", but target.url leads to "api.example.com"',
    ],
  ])('%s', async (_, target, objectives, sentence) => {
    const ran = await speechfb('loadtest', scenario(target, objectives.length > 0 ? objectives : undefined));
    expect(ran).toMatchObject({ status: 2, stderr: expect.stringContaining(sentence) });
    expect(ran.stderr).toMatch(/scenario-\d+\.yaml:\d+:\d+/);
    expect(ran.stderr).not.toContain(key);
  });
});

describe('the server that the test starts', () => {
  it.each([
    ['deepgram', 'reference', 'feedback_latency'],
    ['openai-realtime', 'prompt', 'word_latency'],
  ])('is loaded in the protocol of others: %s', async (protocol, option, metric) => {
    const target = `{ protocol: ${protocol}, options: { ${option}: "{reference}" } }`;
    const ran = await runProgram(['loadtest', scenario(target, [`p95(${metric}) < 60s`]), '--json']);
    const report = JSON.parse(ran.stdout);
    expect(report.distributions[metric]).toMatchObject({ never: 0 });
    expect(report.distributions[metric].samples).toBeGreaterThan(5);
    expect(report.totals.sessions_ok).toBe(report.totals.sessions);
  });
});

describe('a server that is there, in the protocol of others', () => {
  let base = '';
  let end = () => {};
  beforeAll(async () => {
    const server = spawn(process.execPath, [bin, 'serve', '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
    end = () => void server.kill('SIGTERM');
    base = await new Promise<string>((resolve) => {
      let said = '';
      for (const stream of [server.stdout, server.stderr])
        stream.on('data', (chunk) => {
          said += chunk;
          const [, address] = /ready at (ws:\/\/[\d.]+:\d+)/.exec(said) ?? [];
          if (address !== undefined) resolve(address);
        });
    });
  });
  afterAll(() => end());

  it.each([
    ['deepgram', 'reference: "{reference}", endpointing: "false"', 'feedback_latency'],
    ['openai-realtime', 'prompt: "{reference}"', 'word_latency'],
  ])('is reached before any load, and loaded: %s', async (protocol, options, metric) => {
    const target = `{ url: "${base}", protocol: ${protocol}, options: { ${options} } }`;
    const ran = await runProgram(['loadtest', scenario(target, [`p95(${metric}) < 60s`]), '--json']);
    expect(ran.stdout, ran.stderr).not.toBe('');
    const report = JSON.parse(ran.stdout);
    expect(report.session_errors).toEqual([]);
    expect(report.totals).toMatchObject({ sessions: 3, sessions_ok: 3 });
    expect(report.distributions[metric]).toMatchObject({ never: 0 });
  });

  it('says before any load what it lacks', async () => {
    const ran = await speechfb('loadtest', scenario(`{ url: "${base}", protocol: deepgram }`));
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toContain(
      'this server hears how a known text is read: the parameter reference= carries the text',
    );
  });

  it.each([
    ['deepgram', 'reference={reference}'],
    ['openai-realtime', 'prompt={reference}'],
  ])('is probed: %s', async (protocol, option) => {
    const clip = resolve('fixtures/audio/leader.wav');
    const text = 'The conference will begin when the leader arrives.';
    const ran = await runProgram([
      'probe',
      base,
      clip,
      '--text',
      text,
      '--protocol',
      protocol,
      '--option',
      option,
      '--json',
    ]);
    expect(ran.code, ran.stderr).toBe(0);
    const { messages } = JSON.parse(ran.stdout) as { messages: { taken_for: { is: string }[] }[] };
    const kinds = messages.flatMap(({ taken_for }) => taken_for.map(({ is }) => is));
    expect(kinds).toContain('final');
    expect(kinds).not.toContain('not understood');
  });
});

describe('consent and cost', () => {
  it.each([
    ['wss://api.vendor.example/v1', [], 'api.vendor.example may belong to others'],
    ['ws://8.8.8.8', [], '8.8.8.8 may belong to others'],
    ['ws://[2001:db8::1]', [], '2001:db8::1 may belong to others'],
    ['wss://api.vendor.example/v1', ['--yes-load', 'vendor.example'], '--yes-load is for "vendor.example"'],
  ])('nothing is sent to %s %j', async (url, flags, sentence) => {
    const ran = await speechfb('loadtest', scenario(`{ url: "${url}" }`), ...flags);
    expect(ran).toMatchObject({ status: 2, stderr: expect.stringContaining(sentence) });
  });

  it('is not asked for what is near, nor by --validate', async () => {
    const ran = await speechfb('loadtest', scenario('{ url: "wss://api.vendor.example/v1" }'), '--validate');
    expect(ran.status).toBe(0);
  });

  it('shows the bill before anything is sent', async () => {
    const cost = '  cost: { perAudioMinute: $1, most: $5 }\n';
    const ran = await speechfb('loadtest', scenario('{ url: "ws://h" }', undefined, cost), '--validate');
    expect(ran).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/bill +\$0\.1\d+ for its sound, at most \$5\.00/),
    });
  });

  it('refuses a test that would cost more than it may', async () => {
    const cost = '  cost: { perAudioMinute: $1, most: $0.01 }\n';
    const ran = await speechfb('loadtest', scenario('{ url: "ws://h" }', undefined, cost));
    expect(ran).toMatchObject({ status: 2, stderr: expect.stringContaining('which is more than $0.01') });
  });

  it('refuses several runs that together cost more than they may', async () => {
    const cost = '  cost: { perAudioMinute: $1, most: $0.30 }\n';
    const ran = await speechfb('loadtest', scenario('{ url: "ws://127.0.0.1:9" }', undefined, cost), '--runs', '3');
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(/--runs 3: cost \$0\.\d+ together, which is more than the \$0\.300 of spec\.cost\.most/);
    expect(ran.stderr).toMatch(/scenario-\d+\.yaml:9:\d+: spec\.cost\.most/);
  });

  it('refuses a search of which not even the first load can be paid', async () => {
    const cost = '  cost: { perAudioMinute: $1, most: $0.01 }\n';
    const file = scenario('{ url: "ws://127.0.0.1:9" }', undefined, cost);
    const ran = await speechfb('loadtest', file, '--find-capacity', '--from', '4', '--step', '1s');
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(
      /scenario-\d+\.yaml:9:\d+: spec\.cost\.most: the test would send .* more than \$0\.0100/,
    );
  });

  it('ends a search before the load that costs more than is left, and says so', async () => {
    const { url } = await start(deepgram);
    const cost = '  cost: { perAudioMinute: $1, most: $0.06 }\n';
    const file = scenario(`{ url: "${url}", protocol: deepgram }`, undefined, cost);
    const out = join(scratch, 'search');
    const ran = await runProgram(['loadtest', file, '--find-capacity', '--from', '1', '--step', '1s', '--out', out]);
    const sentence = /the next load would bring the bill to \$0\.\d+, beyond the \$0\.0600 of spec\.cost\.most/;
    expect(ran.stdout).toMatch(sentence);
    expect(ran.stdout).not.toContain('interrupted');
    expect(ran.code).toBe(99);
    const search = JSON.parse(readFileSync(join(out, 'capacity.json'), 'utf8'));
    expect(search).toMatchObject({ limit: 'cost', confirmed: false, over_bill: expect.stringMatching(sentence) });
    expect(search.steps.length).toBeGreaterThan(0);
  });
});
