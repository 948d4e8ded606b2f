import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareLoad } from '../../../src/load/scenario/prepare.ts';
import { unprovable } from '../../../src/load/scenario/proof.ts';
import { readScenario } from '../../../src/load/scenario/scenario.ts';
import { unprovableText } from '../../../src/report/load/proof-text.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const file = join(temporaryDirectory(), 'x.yaml');

/** Ten learners who never pause, for twelve seconds of which ten count: a thousand feedbacks less those around utterances. */
function found(objective: string, rest = '', shard?: { index: number; count: number }) {
  writeFileSync(
    file,
    `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: short }
spec:
  learners: { clips: ${resolve('fixtures/audio/manifest.jsonl')}, pause: 0s }
  load: { learners: 10 }
  duration: 12s
  warmup: 2s
${rest}
  objectives: ["${objective}"]
`,
  );
  const scenario = readScenario(file);
  return unprovable(scenario, prepareLoad(scenario, shard));
}

describe('a scenario that is too short to prove', () => {
  it.each([
    ['availability >= 99.9%', 900, 1000, 2995],
    ['p99.9(feedback_latency) < 1s', 900, 1000, 2995],
    ['p99(feedback_latency){profile=direct} < 1s', 0, 0, 0],
    ['session_success >= 99%', 10, 10, 299],
    ['p95(connect_time) < 1s', 0, 0, 0],
    ['p95(final_latency) < 1s', 20, 58, 59],
    ['p95(feedback_latency) < 1s', 0, 0, 0],
    ['rate(sessions_died) < 5%', 10, 10, 59],
  ])('%s: between %d and %d samples come, %d are needed', (objective, least, most, needed) => {
    const [one, ...others] = found(objective);
    expect(others).toEqual([]);
    if (needed === 0) return expect(one).toBeUndefined();
    expect(one).toMatchObject({ objective, needed });
    expect(one!.expected).toBeGreaterThanOrEqual(least);
    expect(one!.expected).toBeLessThanOrEqual(most);
    expect(one!.sessions).toBe(Math.ceil((10 * needed) / one!.expected));
  });

  it('says how long would do, and that is true', () => {
    const [one] = found('availability >= 99.9%');
    expect(unprovableText(one!)).toMatch(
      /^too short to prove availability >= 99\.9%: \d{3} samples are due and 2,995 .*; run for 3\d s \(--duration 3\ds\) or with 3\d sessions$/,
    );
  });

  it.each([
    ['is counted, not sampled', 'lost_frames == 0'],
    ['is of what the server decides', 'p95(phoneme_latency) < 1s'],
  ])('says nothing of an objective that %s', (_, objective) => {
    expect(found(objective)).toEqual([]);
  });

  it('says nothing of a shard, whose objectives are judged after the merge', () => {
    expect(found('availability >= 99.9%', '', { index: 1, count: 2 })).toEqual([]);
  });

  it('takes another rule of what a proof needs', () => {
    found('availability >= 99.9%');
    const scenario = readScenario(file);
    expect(unprovable(scenario, prepareLoad(scenario), () => 10)).toEqual([]);
    expect(unprovable(scenario, prepareLoad(scenario), () => 1e6)).toMatchObject([{ needed: 1e6 }]);
  });
});
