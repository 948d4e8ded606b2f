import { describe, expect, it } from 'vitest';
import type { RunningServer } from '../../../src/server/gateway/server.ts';
import type { MemoryResultStore } from '../../../src/stores/memory-result-store.ts';
import { StoreError } from '../../../src/stores/session-store.ts';
import { connect, startMessage } from '../../kit/server/client.ts';
import { scriptedScoring } from '../../kit/server/scripted.ts';
import { keepMs, opened } from './kit.ts';

describe('who resumes a session that is over', () => {
  it('gets the final that was scored meanwhile, once', async () => {
    const { server, queue, results, work } = await opened();
    const { session_id, resume_token, last_event_id } = await handedOver(server, results);
    const early = await resumed(server, { session_id, resume_token, last_event_id });
    expect(early).toEqual([
      refusedBecause(
        `the session has ended; utterance 1 will be scored later: GET /v1/sessions/${session_id}/results with the resume_token`,
      ),
    ]);
    await expect.poll(() => queue.size).toBe(1);
    work();
    await expect.poll(() => states(results, session_id)).toEqual(['done']);
    const ended = refusedBecause(
      `the session has ended; utterance 1 came late: GET /v1/sessions/${session_id}/results with the resume_token`,
    );
    const late = await resumed(server, { session_id, resume_token, last_event_id });
    expect(late).toEqual([
      expect.objectContaining({
        type: 'utterance_final',
        utterance_id: 1,
        late: true,
        audio_ms: 200,
        event_id: expect.any(Number),
      }),
      ended,
    ]);
    expect(late[0]!.event_id).toBeGreaterThan(last_event_id);
    expect(await resumed(server, { session_id, resume_token, last_event_id: late[0]!.event_id })).toEqual([ended]);
  });

  it('gets the final that was made when nobody read, as the event that it was', async () => {
    const { server, results } = await opened();
    const client = await connect(server.url, { autoPong: false });
    client.send(startMessage());
    const { session_id, resume_token } = await client.until('ready');
    client.frames(0, 24);
    client.send({ type: 'finalize' });
    const final = await client.until('utterance_final');
    client.cut();
    await expect.poll(() => states(results, session_id)).toEqual(['done']);
    const from = (last_event_id: number) => resumed(server, { session_id, resume_token, last_event_id });
    expect((await from(final.event_id - 1))[0]).toEqual({ ...final, late: true });
    expect(await from(final.event_id)).toEqual([expect.objectContaining({ type: 'error' })]);
  });

  it('gets finals in order, and none behind one that is still to come', async () => {
    const openUtterance: typeof scriptedScoring.openUtterance = (...given) => ({
      ...scriptedScoring.openUtterance(...given),
      finish: () => new Promise(() => {}),
    });
    const { server, results } = await opened({ scoring: { ...scriptedScoring, openUtterance } });
    const client = await connect(server.url);
    client.send(startMessage());
    const { session_id, resume_token } = await client.until('ready');
    client.frames(0, 24);
    for (const text of ['A dog.', 'A cat.']) {
      client.send({ type: 'next_utterance', reference: { text } });
      client.frames(25 + 10 * (text === 'A cat.' ? 1 : 0), text === 'A cat.' ? 44 : 34);
    }
    client.send({ type: 'finalize' });
    const { event_id: last_event_id } = await client.until('error');
    await expect.poll(() => states(results, session_id)).toEqual(['pending', 'pending', 'pending']);
    const finish = (utteranceId: number, outcome: { state: 'done' | 'failed'; value: string }) =>
      results.finish({ sessionId: session_id, utteranceId }, outcome, keepMs);
    const final = (utterance_id: number) =>
      ({ state: 'done', value: JSON.stringify({ type: 'utterance_final', utterance_id, late: true }) }) as const;
    const told = async (from = last_event_id): Promise<(string | number)[]> => {
      const events = await resumed(server, { session_id, resume_token, last_event_id: from });
      return events.map((event) =>
        'utterance_id' in event ? event.utterance_id : 'message' in event ? event.message : '?',
      );
    };
    const where = `GET /v1/sessions/${session_id}/results with the resume_token`;
    await finish(2, final(2));
    expect(await told()).toEqual([
      `the session has ended; utterance 2 came late, utterances 1, 3 will be scored later: ${where}`,
    ]);
    await finish(1, { state: 'failed', value: 'it could not be scored' });
    await finish(3, final(3));
    expect(await told()).toEqual([
      2,
      3,
      `the session has ended; utterances 2, 3 came late, utterance 1 could not be scored: ${where}`,
    ]);
    expect(await told(last_event_id + 2)).toHaveLength(2);
  });

  it.each([
    ['another token', { resume_token: 'x'.repeat(43) }, 'unauthorized', 'resume_token does not belong'],
    ['the wrong session', { session_id: 'other' }, 'session_not_found', 'no such session'],
  ])('with %s hears nothing of it', async (_, changes, code, message) => {
    const { server, results } = await opened();
    const ready = await handedOver(server, results);
    await results.finish({ sessionId: ready.session_id, utteranceId: 1 }, { state: 'done', value: '{}' }, keepMs);
    expect(await resumed(server, { ...ready, ...changes })).toEqual([
      expect.objectContaining({ type: 'error', code, message: expect.stringContaining(message) }),
    ]);
  });

  it('after it was erased, or all has run out, is told so', async () => {
    const { server, results, pass } = await opened();
    const ready = await handedOver(server, results);
    pass(keepMs + 1);
    expect(await resumed(server, ready)).toEqual([
      refusedBecause('the session has ended, and its results were kept no longer'),
    ]);
    await results.erase(ready.session_id, keepMs);
    expect(await resumed(server, ready)).toEqual([refusedBecause('the session has ended, and was erased')]);
  });

  it('is asked to come again while the store does not answer', async () => {
    const { server, results } = await opened();
    const ready = await handedOver(server, results);
    results.read = () => Promise.reject(new StoreError('timeout', 'the store does not answer'));
    expect(await resumed(server, ready)).toEqual([
      expect.objectContaining({ type: 'error', code: 'server_busy', retryable: true, retry_after_ms: 1000 }),
    ]);
  });
});

type Resume = { session_id: string; resume_token: string; last_event_id: number };

/** A session whose utterance waits for a worker. */
async function handedOver(server: RunningServer, results: MemoryResultStore): Promise<Resume> {
  const client = await connect(server.url);
  client.send(startMessage());
  const { session_id, resume_token } = await client.until('ready');
  client.frames(0, 9);
  await client.until('ack', ({ next_seq }) => next_seq === 10);
  client.cut();
  const last_event_id = Math.max(...client.events.map(({ event_id }) => event_id));
  await expect.poll(() => states(results, session_id)).toEqual(['pending']);
  return { session_id, resume_token, last_event_id };
}

async function states(results: MemoryResultStore, sessionId: string): Promise<string[]> {
  const found = await results.read(sessionId);
  return found.kind === 'found' ? found.utterances.map(({ state }) => state) : [found.kind];
}

/** All that a socket hears which resumes so. */
async function resumed(server: RunningServer, { session_id, resume_token, last_event_id }: Resume) {
  const client = await connect(server.url);
  client.send({ type: 'resume', session_id, resume_token, last_event_id });
  await client.closed;
  return client.events;
}

function refusedBecause(message: string): object {
  return {
    event_id: 0,
    audio_ms: 0,
    type: 'error',
    code: 'session_not_found',
    message,
    retryable: false,
    retry_after_ms: null,
  };
}
