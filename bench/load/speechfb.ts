import { parseArgs } from 'node:util';
import { dialectSpec } from '../../src/dialects/catalogue.ts';
import { runGenerators } from '../../src/load/generator/pool.ts';
import { steadyLoad } from '../../src/load/plan/load-profile.ts';
import { planLearners } from '../../src/load/plan/plan.ts';
import { quantile } from '../../src/metrics/definitions.ts';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import { Recorder } from '../../src/metrics/recorder.ts';

// The bench's work by speechfb's generator, one process of it, as `speechfb loadtest` drives it; prints one line of JSON.
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    sessions: { type: 'string', default: '700' },
    seconds: { type: 'string', default: '20' },
    ramp: { type: 'string', default: '2' },
    // How often the server answers, ms of sound; by default as often as the echo of the others: once a frame.
    emit: { type: 'string', default: '20' },
    // What the server speaks: a name of target.protocol.
    protocol: { type: 'string', default: 'speechfb' },
  },
});
const frameMs = 20;
const clip = {
  id: 'noise',
  text: 'a',
  language: 'en-US',
  sampleRateHz: 16_000,
  durationMs: 3_600_000,
  pcm: new Uint8Array(640).fill(7),
  speechBeginMs: 0,
};
const read = dialectSpec(values.protocol);
if ('problems' in read) throw new Error(read.problems.map(({ message }) => message).join('; '));
const durationMs = Number(values.seconds) * 1000;
await histogramsReady();
const result = await runGenerators(
  {
    plans: planLearners({
      shape: steadyLoad(Number(values.sessions), Number(values.ramp) * 1000, durationMs),
      behaviour: { frameMs, pause: { leastMs: 0, mostMs: 0 } },
      seed: 1,
      clips: [clip],
    }),
    faults: [],
    networks: {},
    clips: [clip],
    url: values.url,
    token: undefined,
    tls: undefined,
    dialect: read.spec,
    frameMs,
    emitIntervalMs: Number(values.emit),
    warmupMs: 0,
    durationMs,
    drainMs: 5000,
    seed: 1,
    loadPhases: [],
    startAtEpochMs: undefined,
  },
  { onProgress: () => {}, signal: new AbortController().signal },
  1,
);
const whole = new Recorder(result.recording).merged();
const feedback = whole.distributions.feedback_latency;
process.stdout.write(
  `${JSON.stringify({
    frames: whole.tally.frames_sent,
    // From when the frame was due to be sent, as the others measure; feedback latency counts its sound as well.
    p99Ms: (quantile(feedback, 0.99) ?? Number.NaN) - frameMs,
    lateP50Ms: quantile(whole.distributions.send_lateness, 0.5),
    lateP99Ms: quantile(whole.distributions.send_lateness, 0.99),
    busy: result.generators[0]?.busy,
  })}\n`,
);
