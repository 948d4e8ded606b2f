import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/telemetry/metrics.ts';

/** What a server exposes once it has seen a session start, a refusal and one feedback event. */
async function exposed(): Promise<string> {
  const metrics = new Metrics({ version: '0', sessions: () => ({}), engine: () => undefined });
  metrics.message('start');
  metrics.refusal('server_busy');
  metrics.feedback('phoneme_feedback', {}, 20);
  return (await metrics.expose()).body;
}

describe('the series that the shipped rules read', () => {
  it.each([
    ['speechfb_feedback_seconds_count', { type: 'phoneme_feedback' }],
    ['speechfb_feedback_seconds_bucket', { type: 'phoneme_feedback', le: '0.1' }],
    ['speechfb_messages_total', { kind: 'start' }],
    ['speechfb_refusals_total', { code: 'server_busy' }],
  ])('%s %j is one that the server has', async (name, labels) => {
    const lines = (await exposed()).split('\n').filter((line) => line.startsWith(`${name}{`));
    const matchers = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    expect(lines.filter((line) => matchers.every((matcher) => line.includes(matcher)))).toHaveLength(1);
    expect(readFileSync('slo/live-feedback.rules.yaml', 'utf8')).toContain(name);
  });
});
