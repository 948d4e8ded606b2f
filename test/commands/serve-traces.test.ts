import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Trace } from '../../src/metrics/trace.ts';
import { publicId } from '../../src/server/public-names.ts';
import { leaksIn, pieceBytes } from '../kit/leaks.ts';
import { type OtlpReceiver, receiveOtlp } from '../kit/otlp-receiver.ts';
import { bin, runProgram } from '../kit/program.ts';
import { readClipWhole } from '../kit/server/reader.ts';
import { readClip } from '../kit/server/real.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const directory = temporaryDirectory();
const clip = readClip('leader');
const run = join(directory, 'run');
const traces = join(directory, 'otlp.jsonl');
const adminToken = '0123456789abcdef-read';

let receiver: OtlpReceiver;
let child: ChildProcess;
/** What everything said, by what said it. */
const said = new Map<string, Buffer>();

// One server and one load test for all: what they leave is looked at from several sides.
beforeAll(async () => {
  receiver = await receiveOtlp();
  const tokenFile = join(directory, 'admin-tokens');
  writeFileSync(tokenFile, `anna read ${adminToken}\n`);
  const plane = ['--admin-listen', '127.0.0.1:0', '--admin-token-file', tokenFile];
  const audit = join(directory, 'audit.jsonl');
  const tracing = ['--otlp', receiver.url, '--trace-share', '1', '--log-level', 'debug'];
  const args = ['serve', '--port', '0', '--gateways', '1', ...plane, '--audit-log', audit, ...tracing];
  child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr!.on('data', (chunk) => {
    log += chunk;
  });
  const [ready] = await once(createInterface(child.stdout!), 'line');
  const url = / at (\S+) /.exec(String(ready))![1]!;
  // Whole lines count: what stands in two pieces is no address yet.
  await vi.waitFor(() => expect(log).toMatch(/"url":"http[^"]+"/), 30_000);
  const adminUrl = /"url":"(http[^"]+)"/.exec(log)![1]!;

  const reader = await readClipWhole(url, clip);
  expect(reader.of('utterance_final')).toHaveLength(1);
  const scenario = join(directory, 'some.yaml');
  writeFileSync(scenario, scenarioText);
  const load = await runProgram(['loadtest', scenario, '--url', url, '--out', run]);
  said.set('loadtest stdout', Buffer.from(load.stdout));
  said.set('loadtest stderr', Buffer.from(load.stderr));

  const metrics = url.replace('ws://', 'http://').replace('/v1/stream', '/metrics');
  for (const accept of ['text/plain', 'application/openmetrics-text'])
    said.set(`/metrics as ${accept}`, Buffer.from(await (await fetch(metrics, { headers: { accept } })).text()));
  for (const path of ['status', 'sessions', 'tenants', 'policy', 'audit']) {
    const answer = await fetch(`${adminUrl}/admin/v1/${path}`, { headers: { authorization: `Bearer ${adminToken}` } });
    said.set(`admin ${path}`, Buffer.from(await answer.text()));
  }
  child.kill('SIGTERM');
  await once(child, 'exit');
  said.set('the log', Buffer.from(log));
  said.set('the audit log', readFileSync(audit));
  said.set('spans', Buffer.from(linesOf(() => true)));
  // The reader said all at once, and was heard late for that: it is none of the load test's learners.
  const { session_id } = reader.of('ready')[0]!;
  const ofReader = receiver.spans().filter(({ attributes }) => attributes['speechfb.session'] === publicId(session_id));
  const left = new Set(ofReader.map(({ traceId }) => traceId));
  expect(left.size).toBe(2);
  writeFileSync(
    traces,
    linesOf(({ traceId }) => !left.has(traceId)),
  );
  for (const [i, body] of receiver.bodies.entries()) said.set(`spans as sent, ${i}`, body);
  for (const name of readdirSync(run)) {
    const bytes = readFileSync(join(run, name));
    said.set(`run/${name}`, name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  }
});

afterAll(() => {
  child?.kill('SIGKILL');
  receiver?.close();
});

describe('what is said of a session anywhere', () => {
  it('has no word that was read and no sound that was heard', () => {
    const bytes = Buffer.from(clip.samples.buffer, clip.samples.byteOffset, clip.samples.byteLength);
    // Pieces of speech, not of silence.
    const loud = [0.3, 0.45, 0.6].map((share) => {
      const from = 2 * Math.floor(share * clip.samples.length);
      return bytes.subarray(from, from + pieceBytes);
    });
    for (const piece of loud) expect(new Set(piece).size).toBeGreaterThan(8);
    const words = clip.text.split(/\W+/).filter((word) => word.length > 5 && word !== 'leader');
    expect(words).toEqual(['conference', 'arrives']);
    expect(said.size).toBeGreaterThan(15);
    const empty = [...said].filter(([, found]) => found.length === 0).map(([what]) => what);
    expect(empty.filter((what) => what !== 'loadtest stdout')).toEqual([]);
    const leaks = [...said].flatMap(([what, found]) =>
      leaksIn(found, { words, sound: loud }).map((leak) => `${what}: ${leak}`),
    );
    expect(leaks).toEqual([]);
  });

  it('has no id by which a session could be taken up, and nobody who speaks', () => {
    const spans = said.get('spans')!.toString();
    const attributes = new Set(receiver.spans().flatMap((span) => Object.keys(span.attributes)));
    expect([...attributes].filter((name) => /token|text|user|owner|phone|word/.test(name))).toEqual([]);
    for (const { attributes: own } of receiver.spans())
      if (own['speechfb.session'] !== undefined) expect(own['speechfb.session']).toMatch(/^[0-9a-f]{16}$/);
    expect(spans).not.toContain('127.0.0.1');
  });
});

describe('the traces of a run', () => {
  const stagesOf = ['queue', 'features', 'asr', 'scoring', 'emit'] as const;

  it('have every feedback of it, with the stages that its learners were told', () => {
    const spans = receiver.spans();
    const feedback = spans.filter(({ name }) => name === 'feedback');
    const below = new Map<string, number[]>(feedback.map(({ spanId }) => [spanId, []]));
    for (const { name, parentSpanId, startMs, endMs } of spans) {
      const place = (stagesOf as readonly string[]).indexOf(name);
      const times = below.get(parentSpanId ?? '');
      if (place >= 0 && times) times[place] = endMs - startMs;
    }
    const traced = [...below.values()];
    const own = tracesOfRun();
    expect(own.length).toBeGreaterThan(100);
    const missing = own.filter(
      ({ stages }) =>
        !traced.some((times) => stagesOf.every((stage, i) => Math.abs(times[i]! - (stages[stage] ?? 0)) < 0.005)),
    );
    expect(missing).toEqual([]);
  });

  it('give the p95 of the run, but for what only its learners saw', async () => {
    const budget = async (...from: string[]): Promise<Measured> => {
      const { code, stdout, stderr } = await runProgram(['budget', 'gateway-feedback', ...from, '--json']);
      expect([0, 98, 99], stderr).toContain(code);
      return (JSON.parse(stdout) as { measured: Measured }).measured;
    };
    const [ofRun, ofTraces] = [await budget('--run', run), await budget('--otlp', traces)];
    // How late the network, the load generator and its reading of sockets made a feedback at most; next to nothing on a quiet machine.
    const outsideMs = Math.max(
      ...tracesOfRun().map(({ stages: { uplink = 0, downlink = 0, late_send = 0, unattributed = 0 } }) => {
        return uplink + downlink + late_send + unattributed;
      }),
    );
    expect(ofTraces.value_ms).toBeGreaterThan(ofRun.ci_ms[0] - outsideMs);
    expect(ofTraces.value_ms).toBeLessThan(ofRun.ci_ms[1] + 1);
  });
});

/** What came, as the Collector's file exporter writes it. */
function linesOf(isWanted: (span: { traceId: string }) => boolean): string {
  const isSpan = (value: unknown): value is { traceId: string } =>
    typeof value === 'object' && value !== null && 'startTimeUnixNano' in value;
  const wanted = (_: string, value: unknown): unknown =>
    Array.isArray(value) ? value.filter((one) => !isSpan(one) || isWanted(one)) : value;
  return receiver.documents.map((document) => `${JSON.stringify(document, wanted)}\n`).join('');
}

type Measured = { n: number; value_ms: number; ci_ms: [number, number] };

function tracesOfRun(): Trace[] {
  const text = gunzipSync(readFileSync(join(run, 'traces.ndjson.gz'))).toString();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Trace);
}

const scenarioText = `
apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: some-readers }
spec:
  target: {}
  learners: { clips: ${join(process.cwd(), 'fixtures/audio/manifest.jsonl')}, frame: 20ms, emitInterval: 100ms, pause: 500ms }
  load: { learners: 8, ramp: 500ms }
  duration: 4s
  seed: 1
  objectives: ['lost_frames == 0']
`;
