import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { parse, stringify } from 'yaml';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import { startLoadScreen } from '../../src/report/load/screen.tsx';
import { startStreamScreen } from '../../src/report/score/stream-screen.tsx';
import { newStreamView } from '../../src/report/score/stream-view.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { type Output, speechfb } from '../kit/command.ts';
import { hostileName, hostileText, rawIn, type ShownAs } from '../kit/hostile-text.ts';
import { runOf } from '../kit/recorded-run.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import { serve } from '../kit/server/serve.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const scratch = temporaryDirectory();
/** Outputs in which the hostile text was seen: without any, these tests would prove nothing. */
let seen = 0;

beforeAll(histogramsReady);

describe('every text of a file, and every key', () => {
  it.each<[string, string, readonly (readonly [readonly string[], ShownAs])[]]>([
    [
      'budget',
      'budgets/before-launch.yaml',
      [
        [[], 'text'],
        [['--json'], 'json'],
        [['--markdown'], 'markdown'],
      ],
    ],
    ['budget', 'budgets/mobile-500ms.yaml', [[['--markdown', '--what-if', 'asr+10ms'], 'markdown']]],
    [
      'capacity',
      'capacity/live-class.yaml',
      [
        [[], 'text'],
        [['--json'], 'json'],
      ],
    ],
    [
      'route',
      'routing/default.yaml',
      [
        [[], 'text'],
        [['--json'], 'json'],
        [['--explain', 'load=90%'], 'text'],
      ],
    ],
    ['slo', 'slo/live-feedback.yaml', [[[], 'text']]],
    ['slo rules', 'slo/live-feedback.yaml', [[[], 'text']]],
    ['slo explain', 'slo/live-feedback.yaml', [[[], 'text']]],
    [
      'canary plan',
      'slo/canary.yaml',
      [
        [[], 'text'],
        [['--json'], 'json'],
      ],
    ],
    ['canary simulate', 'slo/canary.yaml', [[[], 'text']]],
    [
      'loadtest',
      'scenarios/bad-network.yaml',
      [
        [['--validate'], 'text'],
        [['--validate', '--json'], 'json'],
      ],
    ],
    [
      'netsim',
      'networks.yaml',
      [
        [['--duration', '6s'], 'text'],
        [['--duration', '6s', '--json'], 'json'],
      ],
    ],
  ])('%s %s', async (verb, shipped, forms) => {
    const document: Tree = shipped === 'networks.yaml' ? networks : parse(lean(readFileSync(shipped, 'utf8')));
    const raw: string[] = [];
    writeFileSync(join(scratch, 'fine.yaml'), stringify(document));
    expect((await speechfb(...verb.split(' '), join(scratch, 'fine.yaml'), ...forms[0]![0])).status).not.toBe(2);
    for (const [path, changed] of withHostileLeaves(document)) {
      const file = join(scratch, 'hostile.yaml');
      writeFileSync(file, stringify(changed));
      // What is shown as it is given is shown in every form; the others are refused in each alike.
      for (const [flags, as] of names.test(path) ? forms : forms.slice(0, 1)) {
        const ran = await speechfb(...verb.split(' '), file, ...flags);
        raw.push(...rawOf(ran, as).map((what) => `${path}: ${what}`));
        if (ran.status === 2) break;
      }
    }
    expect(raw).toEqual([]);
  });

  it('what a matcher quotes, in the rules made of it', async () => {
    const file = join(scratch, 'matchers.yaml');
    const shipped = readFileSync('slo/live-feedback.yaml', 'utf8');
    writeFileSync(file, shipped.replace('phoneme_feedback', 'FORGED begins \u202e\u200b\u009b\u2028\u{e0041}'));
    for (const verb of ['check', 'rules', 'explain'])
      expect(rawOf(await speechfb('slo', verb, file), 'text')).toEqual([]);
  });

  it('budget --chart', async () => {
    const document: Tree = parse(lean(readFileSync('budgets/before-launch.yaml', 'utf8')));
    for (const [, changed] of withHostileLeaves(document).filter(([path]) => /^metadata.name$|0.name$/.test(path))) {
      writeFileSync(join(scratch, 'hostile.yaml'), stringify(changed));
      await speechfb('budget', join(scratch, 'hostile.yaml'), '--chart', join(scratch, 'chart.svg'));
      expect(rawIn(readFileSync(join(scratch, 'chart.svg'), 'utf8'), 'xml')).toEqual([]);
    }
  });
});

describe('every text of a recording', () => {
  it('report, merge and compare, and the files of a run', async () => {
    const directory = runOf('hostile', 0, {
      sessionErrors: [{ text: 'server_busy: no', count: 1 }],
      faults: [{ kind: 'kill-inference', atMs: 1, problem: 'none' }],
      generators: [],
    } as unknown as Parameters<typeof runOf>[2]);
    const file = join(directory, 'recording.json.gz');
    const recording: Tree = JSON.parse(gunzipSync(readFileSync(file)).toString());
    const other = runOf('other');
    const formats = { table: 'text', json: 'json', markdown: 'markdown', junit: 'xml', prometheus: 'metrics' } as const;
    const raw: string[] = [];
    for (const [path, changed] of withHostileLeaves(recording)) {
      writeFileSync(file, gzipSync(JSON.stringify(changed)));
      for (const [format, as] of Object.entries(formats)) {
        const ran = await speechfb('report', directory, '--format', format);
        raw.push(...rawOf(ran, as).map((what) => `${path}: ${what}`));
        if (ran.status === 2) break;
      }
      if (!path.startsWith('metadata')) continue;
      raw.push(...rawOf(await speechfb('compare', directory, other), 'text').map((what) => `${path}: ${what}`));
      const out = join(scratch, 'merged');
      if ((await speechfb('merge', directory, '--out', out)).status !== 2) raw.push(...rawFiles(out));
    }
    expect(raw).toEqual([]);
  });

  it('the summary of a job', async () => {
    const summary = join(scratch, 'summary');
    vi.stubEnv('GITHUB_STEP_SUMMARY', summary);
    onTestFinished(() => void vi.unstubAllEnvs());
    const directory = runOf('summarised', 0, {
      shard: { index: 1, count: 1, planHash: 'x' },
      sessionErrors: [{ text: hostileText, count: 3 }],
    });
    await speechfb('merge', directory);
    expect(rawIn(readFileSync(summary, 'utf8'), 'markdown')).toEqual([]);
  });
});

describe('traces and lines', () => {
  const trace = { at_ms: 1, session: 's', profile: 'p', language: 'l', total_ms: 90, stages: { asr: 80 } };
  it.each<[string, string]>([
    ['a session', lines({ ...trace, session: hostileText })],
    ['a label', lines({ ...trace, profile: hostileText })],
    ['a stage', lines({ ...trace, stages: { [hostileText]: 1 } })],
    ['a key', lines({ ...trace, [hostileText]: 1 })],
    ['no JSON', `${hostileText}\n`],
    ['a broken end', `{"total_ms": 1} ${hostileText}\n`],
  ])('budget --traces with %s', async (_, content) => {
    const file = join(scratch, 'traces.ndjson');
    writeFileSync(file, content);
    for (const [flags, as] of [
      [[], 'text'],
      [['--markdown'], 'markdown'],
      [['--json'], 'json'],
    ] as const) {
      const ran = await speechfb('budget', 'budgets/mobile-500ms.yaml', '--traces', file, '--by', 'profile', ...flags);
      expect(rawOf(ran, as)).toEqual([]);
    }
  });

  it('budget --otlp', async () => {
    const file = join(scratch, 'otlp.json');
    const attributes = [{ key: hostileText, value: { stringValue: hostileText } }];
    const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), name: hostileText, attributes };
    const times = { startTimeUnixNano: '1', endTimeUnixNano: '90000001' };
    const scope = { scopeSpans: [{ spans: [{ ...span, ...times }] }] };
    writeFileSync(file, JSON.stringify({ resourceSpans: [{ resource: { attributes }, ...scope }] }));
    expect(rawOf(await speechfb('budget', 'budgets/mobile-500ms.yaml', '--otlp', file), 'text')).toEqual([]);
  });

  it.each([
    ['a manifest', 'score', { id: hostileText, audio: hostileText, text: hostileText }],
    ['a manifest', 'score', { id: hostileText, audio: 'x.wav', text: 'a', [hostileText]: 1 }],
  ])('of %s: %s', async (_, verb, line) => {
    const file = join(scratch, 'manifest.jsonl');
    const out = join(scratch, 'out.jsonl');
    writeFileSync(file, `${JSON.stringify(line)}\n${hostileText}\n`);
    expect(rawOf(await speechfb(verb, '--manifest', file, '--out', out), 'text')).toEqual([]);
    expect(rawFiles(out)).toEqual([]);
  });
});

describe('every flag and argument', () => {
  const text = hostileText.replaceAll('\0', '');
  it.each([
    [text],
    [`--${text}`],
    ['budget', text],
    ['budget', 'before-launch', '--what-if', text],
    ['budget', 'before-launch', '--name', text],
    ['budget', 'before-launch', '--chart', text],
    ['budget', 'mobile-500ms', '--traces', text],
    ['budget', 'mobile-500ms', '--run', text],
    ['budget', 'mobile-500ms', '--otlp', text],
    ['capacity', text],
    ['route', text],
    ['route', 'default', '--explain', text],
    ['route', 'default', '--explain', `language=${text}`],
    ['route', 'default', '--simulate', text],
    ['route', 'default', '--simulate', 'live-class', '--languages', text],
    ['capacity', 'live-class', '--sweep', text],
    ['capacity', 'live-class', '--sweep', `spike.factor=${text}`],
    ['capacity', 'live-class', '--seed', text],
    ['slo', 'check', text],
    ['slo', 'rules', 'live-feedback', '--out', join(scratch, text.slice(0, 4000), text)],
    ['slo', 'evaluate', 'live-feedback', '--prometheus', text],
    ['slo', 'evaluate', 'live-feedback', '--run', text],
    ['canary', 'plan', '--target', text],
    ['canary', 'judge', 'canary', '--baseline', text, '--canary', text],
    ['deploy', '--capacity', text, '--slo', 'live-feedback'],
    ['deploy', '--capacity', 'live-class', '--slo', text],
    ['deploy', '--capacity', 'live-class', '--slo', 'live-feedback', '--canary', text],
    ['deploy', '--capacity', 'live-class', '--slo', 'live-feedback', '--values', text],
    ['deploy', '--capacity', 'live-class', '--slo', 'live-feedback', '--curve', text],
    ['netsim', text],
    ['netsim', 'LTE', '--loss', text],
    ['netsim', 'LTE', '--trace', text],
    ['netsim', 'LTE', '--listen', text, '--upstream', text],
    ['report', text],
    ['report', scratch, '--metric', text],
    ['compare', text, `${text}x`, '--margin', text],
    ['merge', text],
    ['examples', text],
    ['loadtest', text],
    ['loadtest', 'quickstart', '--url', text, '--validate'],
    ['loadtest', 'quickstart', '--url', `ws://127.0.0.1:9/${text}`, '--validate'],
    ['loadtest', 'quickstart', '--shard', text, '--validate'],
    ['loadtest', 'quickstart', '--start-at', text, '--validate'],
    ['score', text, '--text', 'a'],
    ['score', 'x.wav', '--text', text],
    ['score', 'x.wav', '--phones', text],
    ['score', 'x.wav', '--text', 'a', '--model', text],
    ['serve', '--model', text],
    ['serve', '--device', text],
    ['serve', '--curve', text],
    ['serve', '--calibrate', text, '--device', text],
    ['serve', '--limit', text],
    ['serve', '--token-file', text],
    ['serve', '--tls-cert', text, '--tls-key', text],
    ['serve', '--host', text],
    ['stream', text, '--text', 'a'],
    ['stream', 'fixtures/audio/leader.wav', '--text', 'a', '--url', text],
  ])('command line %#', async (...args) => {
    const ran = await speechfb(...args);
    expect(ran.status).toBe(2);
    expect(rawOf(ran, 'text')).toEqual([]);
  });

  it('the id of a recording in a manifest', async () => {
    const [manifest, out] = [join(scratch, 'fine.jsonl'), join(scratch, 'fine.out.jsonl')];
    writeFileSync(
      manifest,
      JSON.stringify({ id: hostileText, audio: resolve('fixtures/audio/leader.wav'), text: 'The' }),
    );
    const ran = await speechfb('score', '--manifest', manifest, '--out', out);
    expect([ran.status, ...rawOf(ran, 'text')]).toEqual([0]);
    expect([readFileSync(out, 'utf8').includes('FORGED'), ...rawFiles(out)]).toEqual([true]);
  });

  it('the name of a file that is read, and of a directory that is written', async () => {
    const file = join(scratch, hostileName);
    writeFileSync(file, 'no WAV');
    for (const args of [
      ['score', file, '--text', 'a'],
      ['stream', file, '--text', 'a'],
      ['budget', file],
    ])
      expect(rawOf(await speechfb(...args), 'text')).toEqual([]);
    const folder = join(scratch, `${hostileName}.d`);
    expect(rawOf(await speechfb('examples', 'quickstart', '--copy', folder), 'text')).toEqual([]);
    const run = runOf('named', 0, { shard: { index: 1, count: 1, planHash: 'x' } });
    expect(rawOf(await speechfb('merge', run, '--out', folder), 'text')).toEqual([]);
    expect(rawOf(await speechfb('compare', run, folder), 'text')).toEqual([]);
    expect(rawFiles(folder)).toEqual([]);
  });
});

describe('what a server says', () => {
  it.each([
    ['refuses', [{ type: 'error', code: 'bad_token', message: hostileText, retryable: false }]],
    ['greets', [hostileReady()]],
    ['speaks', [hostileReady(), { type: 'info', code: hostileText, message: hostileText }]],
    ['says what is no JSON', [hostileText]],
    ['says something unknown', [{ type: hostileText }]],
  ])('that %s, to stream', async (_, messages) => {
    const url = await hostileServer(messages);
    const ran = await speechfb('stream', recording(), '--text', 'a', '--url', url);
    expect(rawOf(ran, 'text')).toEqual([]);
  });

  it('to a load test, and in all that it leaves', async () => {
    const url = await hostileServer([{ type: 'error', code: 'internal', message: hostileText, retryable: false }]);
    const file = join(scratch, 'load.yaml');
    const shipped = readFileSync('scenarios/quickstart.yaml', 'utf8');
    writeFileSync(
      file,
      shipped
        .replace('../fixtures', `${process.cwd()}/fixtures`)
        .replace('learners: 20', 'learners: 1')
        .replace('ramp: 3s', 'ramp: 0s')
        .replace('duration: 25s', 'duration: 1s'),
    );
    const out = join(scratch, 'loaded');
    const ran = await speechfb('loadtest', file, '--url', url, '--out', out);
    expect(rawOf(ran, 'text')).toEqual([]);
    expect(rawFiles(out)).toEqual([]);
  });

  it('a Prometheus', async () => {
    const { createServer } = await import('node:http');
    const body = JSON.stringify({ status: 'error', error: hostileText, errorType: hostileText });
    const server = createServer((_, response) => response.writeHead(400).end(body)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(rawOf(await speechfb('slo', 'evaluate', 'live-feedback', '--prometheus', url), 'text')).toEqual([]);
  });
});

describe('what clients say to a server', () => {
  it('is in no line of its log', async () => {
    for (const isTTY of [true, false]) {
      const written: string[] = [];
      const log = createLog('debug', { isTTY, write: (line: string) => written.push(line) });
      const server = await serve({ log });
      for (const message of [
        hostileText,
        JSON.stringify({ type: hostileText }),
        JSON.stringify({ ...startMessage(), reference: { text: hostileText }, idempotency_key: hostileText }),
        JSON.stringify({ ...startMessage(), [hostileText]: hostileText }),
      ]) {
        const client = await connect(server.url);
        client.raw(message);
        await client.until('error');
        client.cut();
      }
      log.error({ error: hostileText }, 'the model thread died');
      expect(written.join('')).toContain('FORGED');
      expect(rawIn(written.join(''), isTTY ? 'text' : 'json')).toEqual([]);
    }
  });
});

describe('live screens', () => {
  it.each([
    [
      'of a load test',
      (stream: NodeJS.WriteStream) =>
        startLoadScreen(stream, {
          name: hostileText,
          phase: hostileText,
          durationMs: 1,
          objectives: [hostileText],
          history: [],
        }),
    ],
    ['of a reading', (stream: NodeJS.WriteStream) => startStreamScreen(stream, newStreamView(hostileText, 1))],
  ])('%s', async (_, start) => {
    const stream = Object.assign(new PassThrough(), { columns: 300, rows: 50, isTTY: true });
    const screen = start(stream as unknown as NodeJS.WriteStream);
    await new Promise(setImmediate);
    screen.stop();
    const shown = String(stream.read());
    expect(shown).toContain('FORGED');
    // Ink moves the cursor itself: what is ours alone to move is told by what it moves it with.
    for (const one of ['\x1b]0;', '\x1b[2J\x1b[31m', '\u202e', '\u200b', '\r', '\b', '\x07', '\x9b'])
      expect(shown).not.toContain(one);
  });
});

it('was seen, made plain, in hundreds of outputs', () => {
  expect(seen).toBeGreaterThan(200);
});

type Tree = { [key: string]: Tree } | Tree[] | string | number | boolean | null;

/** The tree once with each text in it replaced, and once with a key more in each mapping. */
function withHostileLeaves(tree: Tree): [path: string, changed: Tree][] {
  const all: [string, Tree][] = [];
  const visit = (at: Tree, path: string[], put: (value: Tree) => Tree) => {
    if (typeof at === 'string') all.push([path.join('.'), put(hostileText)]);
    else if (Array.isArray(at))
      for (const [i, one] of at.slice(0, 3).entries())
        visit(one, [...path, String(i)], (value) => put(at.with(i, value)));
    else if (typeof at === 'object' && at !== null) {
      all.push([[...path, '(key)'].join('.'), put({ ...at, [hostileText]: 1 })]);
      for (const [key, one] of Object.entries(at)) visit(one, [...path, key], (value) => put({ ...at, [key]: value }));
    }
  };
  visit(tree, [], (value) => value);
  return all;
}

const names = /(name|description|source|from|to|matchers)$/;

/** A file that ships, less of it: what takes long to compute is not tested here. */
function lean(yaml: string): string {
  const shorter = {
    '1200/min': '60/min',
    'hold: 30m': 'hold: 10m',
    'hold: 1h': 'hold: 10m',
    'for: 10m': 'for: 3m',
    'value: 500ms': 'value: 450ms',
    '../fixtures': resolve('fixtures'),
  };
  const cut = Object.entries(shorter).reduce((text, [long, short]) => text.replaceAll(long, short), yaml);
  return cut
    .replace(/^ {4}- \{ name: (features|edge-to-inference|bigger model in|hedged).*\n/gm, '')
    .replace(/ {2}correlation:\n.*\n/, '');
}

const networks: Tree = {
  networks: {
    here: { source: 'x', extends: 'LTE', transport: 'tcp', up: { delay: '40ms', loss: '1%' }, down: { rate: '1mbit' } },
  },
};

function rawOf({ stdout, stderr }: Output, as: ShownAs): string[] {
  if (`${stdout}${stderr}`.includes('FORGED')) seen++;
  return [...rawIn(stdout, as), ...rawIn(stderr, 'text').map((what) => `${what} on stderr`)];
}

/** What stands raw in a file, or in any of a directory. */
function rawFiles(path: string): string[] {
  const isFile = !readdirSafe(path);
  const files = isFile ? [path] : readdirSync(path, { recursive: true }).map((name) => join(path, String(name)));
  return files.flatMap((file) => {
    const as =
      kinds[
        file
          .split('.')
          .slice(1)
          .find((part) => part in kinds) ?? ''
      ];
    if (as === undefined) return [];
    const bytes = readFileSync(file);
    const content = file.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString();
    if (content.includes('FORGED')) seen++;
    return rawIn(content, as).map((what) => `${file}: ${what}`);
  });
}

function readdirSafe(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

const kinds: Readonly<Record<string, ShownAs>> = {
  json: 'json',
  ndjson: 'json',
  jsonl: 'json',
  md: 'markdown',
  xml: 'xml',
  hlog: 'text',
  hdrplot: 'text',
};

function lines(record: object): string {
  return `${JSON.stringify(record)}\n`.repeat(300);
}

function recording(): string {
  const folder = join(scratch, 'audio');
  mkdirSync(folder, { recursive: true });
  copyFileSync('fixtures/audio/leader.wav', join(folder, hostileName));
  return join(folder, hostileName);
}

function hostileReady() {
  return {
    type: 'ready',
    session_id: hostileText,
    resume_token: 'secret',
    resume_ttl_ms: 5000,
    next_seq: 0,
    epoch: 0,
    utterance_id: 1,
    resumed: false,
    limits: { max_frame_bytes: 65_536, max_session_ms: 3_600_000, idle_timeout_ms: 60_000, max_buffered_ms: 15_000 },
    model: { name: hostileText, version: hostileText, provider: hostileText, lookahead_ms: 0, phones: [hostileText] },
    reference: { words: [{ text: hostileText, phones: [hostileText] }] },
  };
}

/** Says those messages to each start, then closes for good with a hostile reason. */
async function hostileServer(messages: readonly (object | string)[]): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    socket.once('message', () => {
      for (const [i, message] of messages.entries())
        socket.send(
          typeof message === 'string' ? message : JSON.stringify({ event_id: i + 1, audio_ms: 0, ...message }),
        );
      setTimeout(() => socket.close(4401, hostileText.replaceAll('\ud800', '').slice(0, 60)), 50);
    });
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/stream`;
}
