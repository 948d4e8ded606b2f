import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runGenerator } from '../../../src/load/generator/generator.ts';
import { prepareLoad } from '../../../src/load/scenario/prepare.ts';
import { readScenario } from '../../../src/load/scenario/scenario.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { measurementsOf } from '../../../src/results/measurements.ts';
import { judge } from '../../../src/slo/objective/verdict.ts';
import { makeWav } from '../../kit/make-wav.ts';
import { serve } from '../../kit/server/serve.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

/**
 * Runs a scenario of one network of so many ms each way against a server that shows a word of five letters some 420 ms after it
 * begins; its recording has the words end at 400 and 900 ms.
 */
async function run(delayMs: number, more = '') {
  const folder = temporaryDirectory();
  writeFileSync(
    join(folder, 'tone.wav'),
    makeWav({ channels: [Array.from({ length: 24_000 }, (_, i) => Math.sin(i) / 2)] }),
  );
  const words = [
    { text: 'abcde', end_ms: 400 },
    { text: 'fghij', end_ms: 900 },
  ];
  const line = { id: 'tone', audio: 'tone.wav', text: 'abcde fghij', words };
  writeFileSync(join(folder, 'clips.jsonl'), `${JSON.stringify(line)}\n`);
  writeFileSync(
    join(folder, 'scenario.yaml'),
    `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: far }
spec:
  learners: { clips: clips.jsonl }
  networks: { far: { up: { delay: ${delayMs}ms }, down: { delay: ${delayMs}ms } } }
  mix: [{ network: far, weight: 1 }]
  load: { learners: 8 }
  warmup: 2500ms
  duration: 6s
  drain: 20s
  objectives: ['p50(word_latency){profile=far} < 400ms']
  ${more}
`,
  );
  const scenario = readScenario(join(folder, 'scenario.yaml'));
  const prepared = prepareLoad(scenario);
  const { spec } = scenario;
  const server = await serve();
  const result = await runGenerator(
    {
      ...prepared,
      url: server.url,
      frameMs: spec.learners.frame,
      emitIntervalMs: spec.learners.emitInterval,
      warmupMs: spec.warmup,
      durationMs: spec.duration,
      drainMs: spec.drain,
      seed: spec.seed,
      objectives: spec.objectives,
      startAtEpochMs: undefined,
    },
    { signal: new AbortController().signal, onProgress: () => {} },
  );
  const whole = new Recorder(result.recording).merged({ profile: 'far' });
  const measured = measurementsOf(whole);
  const { word_latency } = measured.distributions;
  return { word_latency, verdict: judge(spec.objectives[0]!, measured) };
}

describe('the time from a word to its first showing', () => {
  it('grows by what the network takes, both ways, and fails the objective that it breaks', async () => {
    const [near, far] = await Promise.all([run(1), run(200)]);
    expect(near.word_latency).toMatchObject({ never: 0 });
    expect(near.word_latency.samples).toBeGreaterThanOrEqual(24);
    expect(far.word_latency.samples).toBe(near.word_latency.samples);
    // No word can be shown sooner than the network allows; a busy machine only adds to it.
    expect(far.word_latency.valueAtRank(1)).toBeGreaterThan(400);
    expect(near.word_latency.valueAtRank(1)).toBeLessThan(350);
    expect(far.word_latency.meanMs - near.word_latency.meanMs).toBeGreaterThan(200);
    expect(far.verdict).toMatchObject({ verdict: 'fail', metric: 'word_latency' });
    expect(near.verdict.verdict).not.toBe('fail');
  });

  it('shows a network that is cut for a second', async () => {
    const { word_latency } = await run(1, 'faults: [{ cutNetwork: { at: 3s, for: 1s, learners: 100% } }]');
    expect(word_latency.valueAtRank(word_latency.samples)).toBeGreaterThan(800);
  });
});
