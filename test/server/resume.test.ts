import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { ServerEvent } from '../../src/protocol/server-messages.ts';
import { connect, type EventOf, finalPhones, startMessage, type TestClient } from '../kit/server/client.ts';
import { serve } from '../kit/server/serve.ts';

const text = 'abababab babababa';

describe('a socket cut in the middle', () => {
  it.each([1, 7, 20, 38, 60])(
    'after frame %i loses no phone, repeats none and ends like one uncut',
    async (cutAfter) => {
      const server = await serve();
      const uncut = await readWhole(await connect(server.url));
      const first = await connect(server.url);
      first.send(startMessage({ reference: { text } }));
      const ready = await first.until('ready');
      first.frames(0, cutAfter);
      await first.until('ack');
      first.cut();
      await first.closed;
      const second = await connect(server.url);
      second.send(resume(ready, first.events));
      const again = await second.until('ready');
      expect(again).toMatchObject({ resumed: true, session_id: ready.session_id, event_id: lastId(first.events) });
      second.frames(again.next_seq, 99);
      second.send({ type: 'close' });
      await second.closed;
      const events = [...first.events, ...second.events.filter((event) => event.type !== 'ready')];
      expect(finalPhones(events)).toEqual(finalPhones(uncut.events));
      const [final] = second.of('utterance_final');
      expect(final!.words).toEqual(uncut.of('utterance_final')[0]!.words);
      const ids = events.map((event) => event.event_id);
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    },
  );

  it('is not asked for audio that was acknowledged', async () => {
    const server = await serve();
    const first = await connect(server.url);
    first.send(startMessage());
    const ready = await first.until('ready');
    first.frames(0, 30);
    first.send({ type: 'finalize' });
    const { next_seq } = await first.until('ack', (event) => event.next_seq > 30);
    first.cut();
    const second = await connect(server.url);
    second.send(resume(ready, first.events));
    expect((await second.until('ready')).next_seq).toBe(next_seq);
  });

  it('hears what it missed, with the ids that it had', async () => {
    const server = await serve();
    const first = await connect(server.url);
    first.send(startMessage());
    const ready = await first.until('ready');
    first.frames(0, 39);
    first.send({ type: 'finalize', marker: 'm' });
    const final = await first.until('utterance_final');
    first.cut();
    const second = await connect(server.url);
    second.send(resume(ready, [ready]));
    expect(await second.until('utterance_final')).toEqual(final);
    expect(finalPhones(second.events)).toEqual(finalPhones(first.events));
  });

  it('after "close" still gets its finals, then the close', async () => {
    const server = await serve();
    const first = await connect(server.url);
    first.send(startMessage());
    const ready = await first.until('ready');
    first.socket.pause();
    first.frames(0, 39);
    first.send({ type: 'close' });
    await expect.poll(() => server.stats().ending).toBe(1);
    first.cut();
    const second = await connect(server.url);
    second.send(resume(ready, [ready]));
    expect((await second.closed).code).toBe(1000);
    expect(finalPhones(second.events)).toHaveLength(4);
    expect(second.of('utterance_final')).toHaveLength(1);
    await expect.poll(() => server.stats().sessions).toBe(0);
  });
});

describe('a reader that stays behind', () => {
  it('is cut off, and after a resume has missed no final', async () => {
    const server = await serve({
      limits: {
        maxUnsentBytes: 200_000,
        phoneBurst: 1_000_000,
        startPhoneBurst: 1_000_000,
        maxFinishing: 64,
        maxReplayBytes: 1e8,
      },
    });
    const text = 'abcdefghij '.repeat(200);
    const first = await connect(server.url);
    first.send(startMessage({ reference: { text } }));
    const ready = await first.until('ready');
    first.socket.pause();
    for (let i = 0; i < 40; i++) {
      first.frame(i);
      first.send({ type: 'next_utterance', reference: { text } });
    }
    await expect.poll(() => server.stats().detached).toBe(1);
    first.cut();
    const second = await connect(server.url);
    second.send(resume(ready, [ready]));
    second.send({ type: 'close' });
    await second.closed;
    const ids = second.of('utterance_final').map((event) => event.utterance_id);
    expect(ids).toEqual(ids.map((_, index) => index + 1));
    expect(ids.length).toBeGreaterThan(5);
    expect(second.of('utterance_final').at(-1)!.reason).toBe('close');
  });
});

describe('a resume', () => {
  it('by a newer socket closes the older one with 4409', async () => {
    const server = await serve();
    const first = await connect(server.url);
    first.send(startMessage());
    const ready = await first.until('ready');
    const second = await connect(server.url);
    second.send(resume(ready, first.events));
    await second.until('ready');
    expect((await first.closed).code).toBe(4409);
    expect(first.of('error')).toMatchObject([{ code: 'session_conflict' }]);
    second.frames(0, 39);
    second.send({ type: 'finalize' });
    await second.until('utterance_final');
  });

  it.each([
    ['a wrong token', { resume_token: 'wrong' }, 'unauthorized', 4401],
    ['an unknown session', { session_id: 'unknown' }, 'session_not_found', 4404],
    ['an event that was never sent', { last_event_id: 1_000_000 }, 'invalid_message', 4400],
  ] as const)('with %s is refused and leaves the session alone', async (_, changes, code, close) => {
    const server = await serve();
    const healthy = await connect(server.url);
    healthy.send(startMessage());
    const ready = await healthy.until('ready');
    const thief = await connect(server.url);
    thief.send({ ...resume(ready, healthy.events), ...changes });
    expect((await thief.closed).code).toBe(close);
    expect(thief.of('error')).toMatchObject([{ code }]);
    healthy.frames(0, 39);
    healthy.send({ type: 'close' });
    expect((await healthy.closed).code).toBe(1000);
    expect(finalPhones(healthy.events)).toHaveLength(4);
  });

  it('comes too late after the window', async () => {
    const server = await serve({ limits: { resumeTtlMs: 50 } });
    const first = await connect(server.url);
    first.send(startMessage());
    const ready = await first.until('ready');
    first.cut();
    await expect.poll(() => server.stats().sessions).toBe(0);
    const second = await connect(server.url);
    second.send(resume(ready, first.events));
    expect((await second.closed).code).toBe(4404);
  });
});

describe('an idempotency key', () => {
  const key = '6f1c0d2e7b3a4958';
  it('answers a start that was sent twice with the same session', async () => {
    const server = await serve();
    const first = await connect(server.url);
    first.send(startMessage({ idempotency_key: key }));
    const ready = await first.until('ready');
    first.cut();
    const second = await connect(server.url);
    second.send(startMessage({ idempotency_key: key }));
    expect(await second.until('ready')).toMatchObject({ session_id: ready.session_id, resumed: true });
    expect(server.stats().sessions).toBe(1);
  });

  it('opens nothing any more when its client has read "ready"', async () => {
    const server = await serve({ limits: { heartbeatMs: 20 } });
    const first = await connect(server.url);
    first.send(startMessage({ idempotency_key: key }));
    const { session_id } = await first.until('ready');
    // The pong of this client tells the server so.
    for (let pings = 0; pings < 2; pings++) await once(first.socket, 'ping');
    await expect
      .poll(async () => {
        const thief = await connect(server.url);
        thief.send(startMessage({ idempotency_key: key }));
        const ready = await thief.until('ready');
        thief.send({ type: 'close' });
        await thief.closed;
        return ready.session_id !== session_id;
      })
      .toBe(true);
    first.send({ type: 'close' });
    expect((await first.closed).code).toBe(1000);
  });

  it('is not taken when it can be guessed', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage({ idempotency_key: 'k' }));
    expect((await client.closed).code).toBe(4400);
    expect(client.of('error')[0]!.message).toContain('idempotency_key: has 1 characters; allowed: at least 16');
  });

  it('refuses another start under the same key', async () => {
    const server = await serve();
    const first = await connect(server.url);
    first.send(startMessage({ idempotency_key: key }));
    await first.until('ready');
    const second = await connect(server.url);
    second.send(startMessage({ idempotency_key: key, reference: { text: 'another' } }));
    expect((await second.closed).code).toBe(4409);
  });
});

async function readWhole(client: TestClient): Promise<TestClient> {
  client.send(startMessage({ reference: { text } }));
  client.frames(0, 99);
  client.send({ type: 'close' });
  await client.closed;
  return client;
}

function resume(ready: EventOf<'ready'>, events: readonly ServerEvent[]) {
  const { session_id, resume_token } = ready;
  return { type: 'resume', session_id, resume_token, last_event_id: lastId(events) } as const;
}

function lastId(events: readonly ServerEvent[]): number {
  return Math.max(0, ...events.map((event) => event.event_id));
}
