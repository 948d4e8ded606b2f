import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runLoad } from '../../src/load/run.ts';
import { prepareLoad } from '../../src/load/scenario/prepare.ts';
import { readScenario } from '../../src/load/scenario/scenario.ts';
import { endingOf } from '../../src/report/load/ending.ts';
import { startFakeServer } from '../kit/fake-server.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

it('ends a test whose sound has cost more than it may, that of the warm-up among it, and fails it', async () => {
  const server = await startFakeServer();
  onTestFinished(() => server.close());
  const file = join(temporaryDirectory(), 'dear.yaml');
  writeFileSync(
    file,
    `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: dear }
spec:
  target: { url: "${server.url}" }
  learners: { clips: ${resolve('fixtures/audio/manifest.jsonl')}, pause: 20ms }
  load: { learners: 2 }
  warmup: 20s
  duration: 30s
  cost: { perAudioMinute: $1, most: $5 }
  objectives: [max(connect_time) < 60s]
`,
  );
  const scenario = readScenario(file);
  // As a test that was planned for less than it sends.
  const spec = { ...scenario.spec, cost: { ...scenario.spec.cost!, most: 0.02 } };
  const phases: string[] = [];
  const { report } = await runLoad(
    {
      scenario: { ...scenario, spec },
      prepared: prepareLoad(scenario),
      startAtEpochMs: undefined,
      serve: { file: 'none', args: [], nodes: undefined },
      version: '0.0.0-test',
    },
    { onPhase: (phase) => phases.push(phase), onProgress() {}, signal: new AbortController().signal },
  );
  expect(report.elapsedMs).toBeLessThan(15_000);
  expect(report.interrupted).toBe(false);
  expect(report.aborted).toMatchObject({
    objective: 'cost.most',
    reason: expect.stringMatching(/^the sound sent has cost \$0\.0\d+, and \$0\.02\d* is the most$/),
  });
  expect(report.verdict).toBe(report.validity.every(({ ok }) => ok) ? 'fail' : 'invalid');
  expect(endingOf(report).why[0]).toMatch(/^cost\.most: ended the test at .*: the sound sent has cost/);
  expect(phases).toContainEqual(expect.stringMatching(/^ending early: cost\.most: the sound sent has cost/));
});
