import type { Kafka } from 'kafkajs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { KafkaAppender } from '../../../src/queue/kafka/kafka-appender.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('writes with one producer as long as there is something to write, and begins anew after a pause', async () => {
  const { appender, opened, closed } = appenderOf();
  for (let at = 0; at < 5; at += 1) {
    await appender.append('t', record);
    await vi.advanceTimersByTimeAsync(1500);
  }
  expect([opened(), closed()]).toEqual([1, 0]);
  await vi.advanceTimersByTimeAsync(1000);
  expect([opened(), closed()]).toEqual([1, 1]);
  await appender.append('t', record);
  expect([opened(), closed()]).toEqual([2, 1]);
});

it('keeps the producer of a record that is still on its way', async () => {
  const { appender, closed, hold } = appenderOf();
  const release = hold();
  const slow = appender.append('t', record);
  await appender.append('t', record);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(closed()).toBe(0);
  release();
  await slow;
  await vi.advanceTimersByTimeAsync(3000);
  expect(closed()).toBe(1);
});

it('leaves no producer and no timer behind', async () => {
  const { appender, closed } = appenderOf();
  await appender.append('t', record);
  await appender.close();
  expect([closed(), vi.getTimerCount()]).toEqual([1, 0]);
});

const record = { key: 'a', value: new Uint8Array(3), headers: {} };

/** An appender to a broker that takes everything; `hold`: the next record only when it is told to. */
function appenderOf() {
  let [opened, closed] = [0, 0];
  let held: Promise<void> | undefined;
  const producer = () => ({
    async connect() {
      opened += 1;
    },
    async send() {
      const waited = held;
      held = undefined;
      await waited;
    },
    async disconnect() {
      closed += 1;
    },
  });
  const hold = (): (() => void) => {
    let release = (): void => {};
    held = new Promise((resolve) => (release = resolve));
    return release;
  };
  const appender = new KafkaAppender({ producer } as unknown as Kafka);
  return { appender, opened: () => opened, closed: () => closed, hold };
}
