import { expect, it } from 'vitest';
import { Keeper } from '../../../src/server/durable/keeper.ts';
import type { KeptSession } from '../../../src/server/durable/kept-session.ts';
import { MemorySessionStore } from '../../../src/stores/memory-store.ts';

const ttlMs = 60_000;

it.each([
  ['misses nothing the first time', [], [false]],
  ['misses what it saved a moment before', [10], [false, true]],
  ['misses what it saved at a third of its time, when it is written anew', [ttlMs / 3], [false, true]],
  ['misses nothing that may have run out', [ttlMs], [false, false]],
  ['misses what it saved after that', [ttlMs, 10], [false, false, true]],
])('a keeper of sessions %s', async (_, steps, expected) => {
  let nowMs = 1_000_000;
  const missed: unknown[] = [];
  const store = new MemorySessionStore(() => nowMs);
  const session: KeptSession = {
    ...{ id: 's', generation: 1, owner: undefined, resumeToken: 't', startedWith: {} as KeptSession['startedWith'] },
    saved: ({ gateway, ordinal }) => ({
      ...{ sessionId: 's', generation: 1, ordinal, tokenHash: 't', owner: undefined, model: 'm', gateway, value: '' },
    }),
    fence() {},
    nowMs: () => nowMs,
  };
  const save = store.save.bind(store);
  store.save = (saved, ms) => {
    missed.push(saved.wasSaved);
    return save(saved, ms);
  };
  const keeper = new Keeper({ store, gateway: 'one', ttlMs, onTrouble() {} });
  keeper.changed(session);
  expect(await keeper.write(session)).toBe(true);
  for (const stepMs of steps) {
    nowMs += stepMs;
    expect(await keeper.write(session)).toBe(true);
  }
  expect(missed).toEqual(expected);
});
