import { expect, it } from 'vitest';
import { unmeasurable } from '../../../src/load/scenario/measurable.ts';
import { type MetricName, metrics } from '../../../src/metrics/definitions.ts';

const names = Object.keys(metrics) as MetricName[];
const cannot = (tells: { reach: 'field' | 'replies' | 'words' | 'final'; partials: boolean }) =>
  names.filter((name) => unmeasurable(name, { name: 'acme', tells }) !== undefined);

const ofOurs = ['phoneme_latency', 'phoneme_final_latency', 'resume_time', 'revision_rate'];
const ofFrames = [
  'violations',
  'lost_frames',
  'lost_by_network',
  'resent_frames',
  'sessions_sent_away',
  'transcripts_moved',
  'transcripts_lost',
  'late_finals',
];

it('measures of a server that says how far it has heard all but what speechfb.v1 alone has', () => {
  expect(cannot({ reach: 'field', partials: true })).toEqual([...ofOurs, ...ofFrames]);
  expect(cannot({ reach: 'replies', partials: true })).toEqual([...ofOurs, ...ofFrames]);
});

it('measures no feedback latency of one that does not, and says what else', () => {
  expect(cannot({ reach: 'words', partials: true })).toEqual(['feedback_latency', ...ofOurs, ...ofFrames]);
  const tells = { reach: 'words', partials: true } as const;
  expect(unmeasurable('feedback_latency', { name: 'openai-realtime', tells })).toBe(
    'openai-realtime does not say how far it has heard: use word_latency',
  );
});

it('measures of one that answers with finals alone nothing that comes before them', () => {
  expect(cannot({ reach: 'final', partials: false })).toEqual([
    ...['feedback_latency', 'first_partial', 'partial_gap', 'phoneme_latency', 'phoneme_final_latency', 'resume_time'],
    ...['revision_rate', 'flicker_rate', ...ofFrames],
  ]);
});

it.each(names)('names for %s, where it cannot be, a metric that can', (name) => {
  for (const reach of ['field', 'replies', 'words', 'final'] as const) {
    for (const partials of [true, false]) {
      const dialect = { name: 'acme', tells: { reach, partials } };
      const said = unmeasurable(name, dialect);
      if (said === undefined) continue;
      const other = /: use (\w+)$/.exec(said)?.[1] as MetricName;
      expect(names).toContain(other);
      expect(unmeasurable(other, dialect)).toBeUndefined();
    }
  }
});
