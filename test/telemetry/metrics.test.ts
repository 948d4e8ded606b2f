import { expect, it } from 'vitest';
import { wireErrors } from '../../src/protocol/codes.ts';
import { limitNames } from '../../src/protocol/limit-ranges.ts';
import { defaultLimits, limitsByWireName } from '../../src/server/limits.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';

it('metrics that many ask for at once are made once', async () => {
  let made = 0;
  const sessions = () => {
    made += 1;
    return { streaming: 3 };
  };
  const metrics = new Metrics({ version: '0.0.0-test', sessions, engine: () => undefined });
  const answers = await Promise.all(Array.from({ length: 50 }, () => metrics.expose()));
  expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
  expect(answers[0]!.body).toContain('speechfb_sessions{state="streaming"} 3');
  expect(made).toBe(1);
  await expect
    .poll(async () => {
      await metrics.expose();
      return made;
    })
    .toBe(2);
});

it('shows every limit of the server by its name, and counts the steps that it takes', async () => {
  const limits = () => limitsByWireName({ ...defaultLimits, maxSessions: 7 });
  const metrics = new Metrics({ version: '0.0.0-test', sessions: () => ({}), engine: () => undefined, limits });
  for (const step of ['larger_groups', 'half_rate', 'larger_groups']) metrics.step(step);
  const { body } = await metrics.expose();
  const shown = [...body.matchAll(/^speechfb_limit\{limit="(\w+)"\} (.*)$/gm)].map(([, name, value]) => [name, value]);
  expect(shown.map(([name]) => name)).toEqual(limitNames);
  expect(shown).toContainEqual(['max_sessions', '7']);
  expect(shown).toContainEqual(['max_sessions_per_token', '+Inf']);
  expect(body).toContain('speechfb_degradation_steps_total{step="larger_groups"} 2');
});

it('has a series of every code and lane at 0 before there was any, so that the first is an increase', async () => {
  const metrics = new Metrics({ version: '0.0.0-test', sessions: () => ({}), engine: () => undefined });
  metrics.refusal('server_busy');
  const { body } = await metrics.expose();
  const shown = [...body.matchAll(/^speechfb_refusals_total\{code="(\w+)"\} (.*)$/gm)].map(([, code, n]) => [code, n]);
  expect(shown).toEqual(Object.keys(wireErrors).map((code) => [code, code === 'server_busy' ? '1' : '0']));
  expect(body).toContain('speechfb_sent_away_total{lane="live"} 0\nspeechfb_sent_away_total{lane="batch"} 0');
});

it('has no series of what there is not, and of what alerts wait for from the start', async () => {
  const bare = { version: '0.0.0-test', sessions: () => ({}), engine: () => undefined };
  const shown = async (more: object) => (await new Metrics({ ...bare, ...more }).expose()).body;
  const alone = await shown({ slots: () => undefined, storeUp: () => undefined, tlsExpiresMs: () => undefined });
  expect(alone).not.toMatch(/^speechfb_(slots|slots_free|trunks|store_up|tls_expires_seconds|engine_restarts) /m);
  expect(alone).toContain('speechfb_messages_total{kind="start"} 0');
  expect(alone).toContain('speechfb_feedback_seconds_count{type="phoneme_feedback"} 0');
  const gateway = await shown({ slots: () => ({ slots: 0, free: 0, trunks: 0, refused: 0 }), storeUp: () => false });
  expect(gateway).toMatch(/^speechfb_slots 0\n[\s\S]*^speechfb_trunks 0\n[\s\S]*^speechfb_store_up 0$/m);
});
