import { describe, expect, it } from 'vitest';
import { MergedMetrics } from '../../src/telemetry/merged-metrics.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';

const numbers = (gateway: number) => ({ gateway, isReady: gateway === 1, sessions: 3, sessionLimit: 75, level: 1 });

/** Two gateways that have seen the same sessions and messages, each as late as is said. */
async function merged(latenessMs: readonly number[]): Promise<MergedMetrics> {
  const whole = new MergedMetrics({
    gateways: () => [numbers(1), numbers(2)],
    sessionLimit: () => 100,
    limits: () => ({ max_sessions: 100 }),
  });
  for (const [at, standingMs] of latenessMs.entries()) {
    const metrics = new Metrics({
      version: '1',
      sessions: () => ({ streaming: 3 }),
      engine: () => undefined,
      overload: () => ({ sessionLimit: 75, standingMs, level: at }),
      limits: () => ({ max_sessions: 50 }),
    });
    for (let i = 0; i <= at; i++) metrics.message('start');
    metrics.feedback('phoneme_feedback', {}, 20);
    whole.update(at + 1, await metrics.document());
  }
  return whole;
}

describe('the metrics of several gateways', () => {
  it.each([
    ['add counters up', 'speechfb_messages_total{kind="start"} 3'],
    ['add sessions up', 'speechfb_sessions{state="streaming"} 6'],
    ['add the buckets of histograms up', 'speechfb_feedback_seconds_count{type="phoneme_feedback"} 2'],
    ['show the worst delay', 'speechfb_standing_delay_seconds 0.3'],
    ['show the worst step', 'speechfb_degradation_level 1'],
    ['show the limits of the whole server', 'speechfb_limit{limit="max_sessions"} 100'],
    ['show what the whole server carries', 'speechfb_session_limit 100'],
    ['show one build', 'speechfb_build_info{version="1"'],
    ['show each gateway', 'speechfb_gateway_ready{gateway="2"} 0'],
    ['tell since when the server runs', 'process_start_time_seconds '],
  ])('%s', async (_, line) => {
    const { body } = await (await merged([100, 300])).expose();
    expect(body.split('\n').filter((found) => found.startsWith(line))).toHaveLength(1);
  });

  it('never count less when a gateway is gone, nor twice when another has its number', async () => {
    const whole = await merged([100, 300]);
    const read = async (): Promise<string[]> =>
      (await whole.expose()).body
        .split('\n')
        .filter((line) => /^speechfb_(messages|feedback_seconds|sessions)/.test(line));
    const before = await read();
    whole.retire(2);
    whole.restarted(2);
    const after = await read();
    expect(after.filter((line) => !line.includes('sessions'))).toEqual(
      before.filter((line) => !line.includes('sessions')),
    );
    expect(after).toContain('speechfb_sessions{state="streaming"} 3');
    whole.retire(2);
    expect(await read()).toEqual(after);
  });
});
