import { expect, it } from 'vitest';
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
