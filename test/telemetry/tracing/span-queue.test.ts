import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SpanQueue } from '../../../src/telemetry/tracing/span-queue.ts';

type Answer = Parameters<SpanExporter['export']>[1];

/** A queue whose exporter answers when the test says so. */
function queue({ most = 1000 } = {}) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const asked: { count: number; answer: Answer }[] = [];
  const trouble: (string | undefined)[] = [];
  const exporter: SpanExporter = {
    export: (spans, answer) => void asked.push({ count: spans.length, answer }),
    shutdown: async () => {},
  };
  const spans = new SpanQueue({ exporter, most, onTrouble: (why) => void trouble.push(why) });
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) spans.onEnd({} as ReadableSpan);
  };
  return { spans, asked, trouble, add };
}

const taken = { code: 0 };
const refused = { code: 1, error: new Error('connect ECONNREFUSED') };
const second = (count = 1) => vi.advanceTimersByTimeAsync(1000 * count);

describe('the queue of spans', () => {
  it('sends small batches, one after the other', async () => {
    const { spans, asked, add } = queue();
    add(300);
    await second();
    expect(asked.map(({ count }) => count)).toEqual([128]);
    asked[0]!.answer(taken);
    await second();
    asked[1]!.answer(taken);
    await second();
    asked[2]!.answer(taken);
    await second();
    expect(asked.map(({ count }) => count)).toEqual([128, 128, 44]);
    expect(spans.counts).toEqual({ exported: 300, failed: 0, dropped: 0 });
  });

  it('drops and counts what finds no room while a receiver hangs, and asks it no second time', async () => {
    const { spans, asked, add } = queue({ most: 500 });
    add(128);
    await second();
    add(10_000);
    await second(60);
    expect(asked).toHaveLength(1);
    expect(spans.counts).toEqual({ exported: 0, failed: 0, dropped: 9500 });
  });

  it('says once that its receiver fails, and once that it is back', async () => {
    const { spans, asked, trouble, add } = queue();
    for (const answer of [refused, refused, refused, taken, taken, refused]) {
      add(1);
      await second();
      asked.at(-1)!.answer(answer);
      await second();
    }
    expect(trouble).toEqual(['connect ECONNREFUSED', undefined, 'connect ECONNREFUSED']);
    expect(spans.counts).toEqual({ exported: 2, failed: 4, dropped: 0 });
  });

  it('sends what waits when it is closed', async () => {
    const { spans, asked, add } = queue();
    add(3);
    const closed = spans.shutdown();
    await second(0);
    asked[0]!.answer(taken);
    await closed;
    expect(spans.counts).toEqual({ exported: 3, failed: 0, dropped: 0 });
  });

  it('waits two seconds for a receiver that hangs when it is closed, and no more', async () => {
    const { spans, asked, add } = queue();
    add(200);
    const closed = spans.shutdown();
    await second(3);
    await closed;
    expect(asked).toHaveLength(1);
    expect(spans.counts.dropped).toBe(72);
  });
});
