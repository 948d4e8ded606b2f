import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { MemorySessionStore } from '../../../src/stores/memory-store.ts';
import { type SessionStore, StoreError } from '../../../src/stores/session-store.ts';
import { connect, type EventOf, startMessage, type TestClient } from '../../kit/server/client.ts';
import { serve } from '../../kit/server/serve.ts';

const key = 'a-key-that-nobody-guesses';
const now = (): number => performance.now();

async function gateways(changes: Partial<SessionStore> = {}) {
  const store: SessionStore = Object.assign(new MemorySessionStore(now), changes);
  return [await serve({ store }), await serve({ store })] as const;
}

async function ready(client: TestClient, changes: Parameters<typeof startMessage>[0] = {}): Promise<EventOf<'ready'>> {
  client.send(startMessage({ idempotency_key: key, ...changes }));
  return await client.until('ready');
}

describe('a start that is sent again to another gateway, since its ready never came', () => {
  it('is the same session, which hears everything from its beginning and is nobody else’s', async () => {
    const [one, two] = await gateways();
    const first = await connect(one.url);
    const lost = await ready(first);
    first.cut();
    const second = await connect(two.url);
    const found = await ready(second);
    expect(found.session_id).toBe(lost.session_id);
    expect(found).toMatchObject({ resumed: false, next_seq: 0 });
    expect(found.resume_token).not.toBe(lost.resume_token);
    second.frames(0, 49);
    second.send({ type: 'finalize' });
    expect((await second.until('utterance_final')).audio_ms).toBe(1000);
    // The token of the ready that was lost opens nothing any more.
    const stranger = await connect(two.url);
    const { session_id, resume_token } = lost;
    stranger.send({ type: 'resume', session_id, resume_token, last_event_id: 0 });
    expect(await stranger.until('error')).toMatchObject({ code: 'unauthorized' });
    second.send({ type: 'close' });
    expect((await second.closed).code).toBe(1000);
  });

  it('ends at the first gateway as soon as that saves what it hears', async () => {
    const [one, two] = await gateways();
    const first = await connect(one.url);
    await ready(first);
    await ready(await connect(two.url));
    expect(one.stats().sessions).toBe(1);
    first.frames(0, 49);
    first.send({ type: 'next_utterance', reference: { text: 'ab' } });
    expect(await first.until('error')).toMatchObject({ code: 'session_conflict' });
    await expect.poll(() => one.stats().sessions).toBe(0);
    expect(two.stats().sessions).toBe(1);
  });

  it('is one session though the first gateway has saved nothing yet', async () => {
    const saves: (() => void)[] = [];
    const kept = new MemorySessionStore(now);
    const [one, two] = await gateways({
      save: async (...saved) => {
        if (saved[0].generation === 1) await new Promise<void>((go) => saves.push(go));
        return await kept.save(...saved);
      },
      claim: (...claim) => kept.claim(...claim),
    });
    const first = await connect(one.url);
    const { session_id } = await ready(first);
    expect((await ready(await connect(two.url))).session_id).toBe(session_id);
    await expect.poll(() => saves.length).toBeGreaterThan(0);
    for (const go of saves) go();
    expect(await first.until('error')).toMatchObject({ code: 'session_conflict' });
  });

  it('is refused where it is another start', async () => {
    const [one, two] = await gateways();
    await ready(await connect(one.url));
    const other = await connect(two.url);
    other.send(startMessage({ idempotency_key: key, reference: { text: 'ba' } }));
    expect(await other.until('error')).toMatchObject({ code: 'session_conflict' });
    expect(two.stats().sessions).toBe(0);
  });

  it('begins here where the store does not answer: nobody waits for it', async () => {
    const begin = async (): Promise<never> => {
      throw new StoreError('timeout', 'it does not answer');
    };
    const [one, two] = await gateways({ begin });
    const first = await ready(await connect(one.url));
    const second = await ready(await connect(two.url));
    expect(second.session_id).not.toBe(first.session_id);
  });
});

it('starts without a key, and under keys of their own, are sessions of their own', async () => {
  const [one, two] = await gateways();
  const ids = new Set<string>();
  for (const server of [one, two, one, two]) {
    const client = await connect(server.url);
    client.send(startMessage(ids.size < 2 ? {} : { idempotency_key: `${key}-${ids.size}` }));
    ids.add((await client.until('ready')).session_id);
  }
  expect(ids.size).toBe(4);
});
