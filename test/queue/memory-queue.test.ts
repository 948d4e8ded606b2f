import { expect, it } from 'vitest';
import { MemoryQueue } from '../../src/queue/memory-queue.ts';
import type { Delivery } from '../../src/queue/work-queue.ts';

/** A queue of 10 bytes and 1000 ms, and what it let go of. */
function bounded() {
  let nowMs = 5000;
  const dropped: string[] = [];
  const onDropped = ({ key }: Delivery, why: string): void => void dropped.push(`${key} ${why}`);
  const queue = new MemoryQueue(() => nowMs, { maxBytes: 10, maxAgeMs: 1000, onDropped });
  const append = (key: string, bytes = 4): Promise<void> =>
    queue.append({ key, value: new Uint8Array(bytes), headers: {} });
  return { queue, dropped, append, pass: (ms: number) => (nowMs += ms) };
}

it.each([
  ['what fits', [4, 4], []],
  ['the oldest for the newest', [4, 4, 4], ['0 full']],
  ['as many as have to go', [4, 4, 9], ['0 full', '1 full']],
  ['what is too large by itself, and all before it', [4, 11], ['0 full', '1 full']],
] as const)('lets go of nothing but that: %s', async (_, sizes, gone) => {
  const { queue, dropped, append } = bounded();
  for (const [at, bytes] of sizes.entries()) await append(String(at), bytes);
  expect(dropped).toEqual(gone);
  expect(queue.size).toBe(sizes.length - gone.length);
  expect(queue.bytes).toBe(sizes.slice(gone.length).reduce((sum: number, bytes) => sum + bytes, 0));
});

it('keeps what somebody works on, however much comes, and counts it', async () => {
  const { queue, dropped, append } = bounded();
  const taken: Delivery[] = [];
  await append('begun', 8);
  const over = queue.consume((delivery) => new Promise<void>((resolve) => taken.push(delivery) > 1 && resolve()));
  await append('next', 4);
  expect([dropped, queue.bytes]).toEqual([['next full'], 8]);
  await queue.commit(taken[0]!);
  await queue.commit(taken[0]!);
  expect([queue.bytes, queue.size]).toEqual([0, 0]);
  await queue.close();
  void over;
});

it.each([
  [999, []],
  [1000, ['a old']],
  [1400, ['a old', 'b old']],
])('lets go of what is old after %d ms', async (ms, gone) => {
  const { queue, dropped, append, pass } = bounded();
  await append('a');
  pass(400);
  await append('b');
  pass(ms - 400);
  queue.dropOld();
  expect(dropped).toEqual(gone);
});

it('says when it is empty, and gives up what it has', async () => {
  const { queue, append } = bounded();
  await queue.empty();
  await append('a');
  let isEmpty = false;
  void queue.empty().then(() => (isEmpty = true));
  await Promise.resolve();
  expect(isEmpty).toBe(false);
  expect(queue.takeRest().map(({ key }) => key)).toEqual(['a']);
  await expect.poll(() => isEmpty).toBe(true);
  expect([queue.size, queue.bytes]).toEqual([0, 0]);
});

it('keeps nothing that was put aside', async () => {
  const { queue } = bounded();
  await queue.deadLetter({ key: 'a', value: new Uint8Array(1), headers: {}, place: '0:0', appendedMs: 0 }, 'why');
  expect(queue.dead).toEqual([]);
});
