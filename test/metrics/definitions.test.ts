import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { countNames, isRate, type MetricName, metrics } from '../../src/metrics/definitions.ts';

const names = Object.keys(metrics) as MetricName[];
const which = (holds: (name: MetricName) => boolean) => names.filter(holds);

describe('the table of metrics', () => {
  it.each(names)('has a row of the documentation for %s, with its kind', (name) => {
    expect(readFileSync('docs/loadtest/metrics.md', 'utf8')).toContain(`\n| \`${name}\` | ${metrics[name].kind} | `);
  });

  it('names the metrics that no utterance has for itself', () => {
    expect(which((name) => !metrics[name].perUtterance)).toEqual([
      ...[
        'connect_time',
        'refusal_time',
        'resume_time',
        'send_lateness',
        'shaping_lateness',
        'goodput',
        'session_success',
      ],
      ...[
        'lost_frames',
        'lost_by_network',
        'resent_frames',
        'dropped_by_app',
        'lost_by_app',
        'sessions_refused',
        'refusals',
        'sessions_died',
        'sessions_sent_away',
        'transcripts_moved',
        'transcripts_lost',
        'late_finals',
      ],
      'cost_per_audio_minute',
    ]);
  });

  it('names the metrics that belong to no phase of the load', () => {
    const ofSessions = ['shaping_lateness', 'session_success', ...countNames, 'cost_per_audio_minute'];
    expect(which((name) => !metrics[name].perPhase)).toEqual(ofSessions);
  });

  it('names what learners do not feel', () => {
    expect(which((name) => !metrics[name].felt)).toEqual([
      'send_lateness',
      'shaping_lateness',
      'cost_per_audio_minute',
    ]);
  });

  it('tells rates from counts', () => {
    expect(which(isRate)).toEqual(['revision_rate', 'flicker_rate', 'wer']);
  });
});
