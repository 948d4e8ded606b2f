import { describe, it } from 'vitest';
import { createDialect, dialectSpec } from '../../../src/dialects/catalogue.ts';
import { type GeneratorTask, runGenerator } from '../../../src/load/generator/generator.ts';
import { quantile } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { measurementsOf } from '../../../src/results/measurements.ts';
import { namedNetwork } from '../../../src/sim/networks/index.ts';
import type { NetworkProfile } from '../../../src/sim/profile/profile.ts';
import { localhostTls } from '../../kit/localhost.ts';
import { plansOf, taskOf } from '../../kit/shard.ts';
import { type RivaOptions, startRiva } from '../../kit/vendors/riva.ts';
import { everybodySays } from '../../kit/vendors/script.ts';

const ideal = namedNetwork('ideal')!;
const far: NetworkProfile = {
  ...ideal,
  name: 'far',
  up: { ...ideal.up, delayUs: 60_000 },
  down: { ...ideal.down, delayUs: 40_000 },
};
const moving = (oldSocket: 'silent' | 'rst'): NetworkProfile => ({
  ...far,
  events: [{ kind: 'ip-change', when: { atUs: 1_200_000 }, oldSocket, backoffUs: { first: 1000, most: 1000 } }],
});

describe.concurrent('learners who call over a network of 60 ms up and 40 ms down', () => {
  it('feel it, and know which way it was', async ({ expect }) => {
    const { measured, stages, result, tally } = await run({});
    expect(result.sessionErrors).toEqual([]);
    expect(tally).toMatchObject({ sessions: 3, sessions_ok: 3 });
    expect(tally.utterances).toBe(tally.utterances_due);
    expect(quantile(stages.uplink, 0)).toBeGreaterThan(58);
    expect(quantile(stages.downlink, 0.5)).toBeCloseTo(40, -0.5);
    // The sound of a frame, and the way there and back; more on a machine that is busy, and never less.
    expect(quantile(measured.distributions.feedback_latency, 0.5)).toBeGreaterThan(195);
    expect(measured.distributions.shaping_lateness.samples).toBeGreaterThan(tally.frames_sent);
    // The name, SYN, and the settings of HTTP/2, each with its answer.
    expect(quantile(measured.distributions.connect_time, 0)).toBeGreaterThan(290);
  });

  it('bring TLS along, whose round trips take their time', async ({ expect }) => {
    const { measured, result, tally } = await run({
      riva: { tls: localhostTls },
      tls: { ca: localhostTls.certificate },
    });
    expect(result.sessionErrors).toEqual([]);
    expect(tally).toMatchObject({ sessions: 3, sessions_ok: 3 });
    expect(quantile(measured.distributions.connect_time, 0)).toBeGreaterThan(390);
  });

  it('end their calls well: the server sees each half closed', async ({ expect }) => {
    const { tally, running } = await run({});
    expect(running.halfClosed).toBeGreaterThanOrEqual(tally.utterances);
  });

  it('are late by the gap when it is cut, and lose nothing', async ({ expect }) => {
    const cut = { kind: 'cut-network', atMs: 500, forMs: 400, learners: [1] } as const;
    const { measured, result, tally } = await run({ network: 'none', faults: [cut] });
    expect(result.sessionErrors).toEqual([]);
    expect(result.faults[0]).toMatchObject({ kind: 'cut-network', affected: { learners: 1, of: 1 } });
    expect(quantile(measured.distributions.feedback_latency, 1)).toBeGreaterThan(400);
    expect(tally).toMatchObject({ sessions_ok: 3 });
  });

  it('are lost when their connection is cut by a fault', async ({ expect }) => {
    const { result, tally } = await run({ faults: [{ kind: 'reconnect', atMs: 900, learners: [0, 2] }] });
    expect(tally).toMatchObject({ sessions: 3, sessions_ok: 1, sessions_died: 2 });
    expect(result.sessionErrors).toEqual([{ text: 'lost: the socket was cut (1006)', count: 2 }]);
  });

  it.for(['silent', 'rst'] as const)('are lost when the phone gets another address (%s)', async (old, { expect }) => {
    const { result, tally } = await run({ networks: { far: moving(old) } });
    expect(tally).toMatchObject({ sessions: 3, sessions_ok: 0, sessions_died: 3 });
    expect(result.sessionErrors.map(({ text }) => text).join()).toMatch(/new address|another address/);
  });

  it('hear of a server that cuts them', async ({ expect }) => {
    const { result, tally } = await run({ riva: { faults: { cutAtMs: 600 } } });
    expect(tally).toMatchObject({ sessions: 3, sessions_ok: 0, sessions_died: 3 });
    expect(result.sessionErrors[0]?.text).toBe('lost: the connection was cut (1006)');
  });

  it('are refused in its words', async ({ expect }) => {
    const { result, tally } = await run({ riva: { faults: { refuse: { status: 429 } } } });
    expect(tally).toMatchObject({ sessions: 3, sessions_refused: 3 });
    expect(result.sessionErrors[0]?.text).toBe('refused: RESOURCE_EXHAUSTED: too many concurrent streams (8)');
  });

  it('are refused in a sentence where nobody answers', async ({ expect }) => {
    const { result } = await run({ url: 'grpc://127.0.0.1:1' });
    expect(result.sessionErrors[0]?.text).toBe('refused: connect ECONNREFUSED 127.0.0.1:1 (1006)');
  });
});

type Asked = Partial<GeneratorTask> & { network?: string; riva?: Partial<RivaOptions> };

async function run({ network = 'far', riva = {}, ...changes }: Asked) {
  const find = everybodySays(
    [
      ['Good', 300],
      ['morning', 700],
    ],
    1000,
  );
  const running = await startRiva({ find, ...riva });
  const read = dialectSpec('riva');
  if ('problems' in read || !read.spec) throw new Error(JSON.stringify(read));
  const frameMs = createDialect(read.spec).audio.messageMs;
  const durationMs = 2500;
  const plans = plansOf(3, { frameMs, durationMs }).map((plan) => ({ ...plan, network }));
  const task = taskOf(plans, {
    url: running.url,
    dialect: read.spec,
    frameMs,
    durationMs,
    networks: { far },
    ...changes,
  });
  const result = await runGenerator(task, { onProgress() {}, signal: new AbortController().signal });
  await running.close();
  const recorder = new Recorder(result.recording).merged();
  return { result, measured: measurementsOf(recorder), stages: recorder.stages, tally: recorder.tally, running };
}
