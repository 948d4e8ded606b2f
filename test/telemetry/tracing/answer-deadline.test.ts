import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { expect, it, onTestFinished, vi } from 'vitest';
import { withAnswerDeadline } from '../../../src/telemetry/tracing/answer-deadline.ts';

type Answer = Parameters<SpanExporter['export']>[1];
const late = { code: 1, error: expect.objectContaining({ message: 'no whole answer within 6000 ms' }) };

it.each<[string, number[], unknown[]]>([
  ['in time', [100], [{ code: 0 }]],
  ['just in time', [5999], [{ code: 0 }]],
  ['too late: it has failed, and what it says afterwards changes nothing', [6001], [late]],
  ['twice', [100, 200], [{ code: 0 }]],
  ['never', [], [late]],
])('an exporter that answers %s', async (_, answersMs, expected) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const heard: unknown[] = [];
  const exporter: SpanExporter = {
    export: (_spans, answer: Answer) => {
      for (const ms of answersMs) setTimeout(() => answer({ code: 0 }), ms);
    },
    shutdown: async () => {},
  };
  withAnswerDeadline(exporter, 6000).export([], (result) => void heard.push(result));
  await vi.advanceTimersByTimeAsync(20_000);
  expect(heard).toEqual(expected);
});
