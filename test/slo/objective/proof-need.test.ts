import { expect, it } from 'vitest';
import { parseObjective } from '../../../src/slo/objective/expression.ts';
import { samplesNeeded } from '../../../src/slo/objective/proof-need.ts';

it.each([
  ['p95(feedback_latency) < 500ms', 59],
  ['p50(feedback_latency) < 500ms', 5],
  ['availability >= 99.9%', 2995],
  ['rate(lost_frames) < 1%', 299],
  ['flicker_rate <= 10%', 29],
  ['mean(feedback_latency) < 200ms', 30],
  ['availability >= 100%', undefined],
  ['rate(lost_frames) == 0', undefined],
  ['lost_frames == 0', undefined],
  ['max(final_latency) < 2s', undefined],
  ['cost_per_audio_minute <= $0.015', undefined],
])('%s takes at least %s samples', (source, samples) => {
  expect(samplesNeeded(parseObjective(source))).toBe(samples);
});
