import { describe, expect, it } from 'vitest';
import type { RunningServer } from '../../../src/server/gateway/server.ts';
import type { MemoryResultStore } from '../../../src/stores/memory-result-store.ts';
import { connect, startMessage } from '../../kit/server/client.ts';
import { scriptedScoring } from '../../kit/server/scripted.ts';
import { keepMs, opened } from './kit.ts';

describe('an utterance that cannot be finished live', () => {
  it('of a learner who does not come back is scored later, and found with the session token', async () => {
    const { server, queue, work } = await opened();
    const client = await connect(server.url);
    client.send(startMessage());
    const { session_id, resume_token } = await client.until('ready');
    client.frames(0, 49);
    await client.until('phoneme_feedback');
    const open = await ask(server, `/v1/sessions/${session_id}/results`, resume_token);
    expect([open.status, open.headers.get('retry-after'), open.body]).toEqual([202, '2', { session_id, results: [] }]);
    client.cut();
    await expect.poll(() => queue.size).toBe(1);
    const pending = await ask(server, `/v1/sessions/${session_id}/results`, resume_token);
    expect(pending.status).toBe(202);
    expect(pending.body).toEqual({ session_id, results: [{ utterance_id: 1, state: 'pending' }] });
    work();
    const results = async () => await ask(server, `/v1/sessions/${session_id}/results`, resume_token);
    await expect.poll(async () => (await results()).status).toBe(200);
    const final = { type: 'utterance_final', utterance_id: 1, late: true, reason: 'timeout', audio_ms: 1000 };
    expect((await results()).body).toMatchObject({ session_id, results: [{ utterance_id: 1, state: 'done', final }] });
  });

  it('since the model stands still is handed over with every other that waits, and the learner is told where', async () => {
    const openUtterance: typeof scriptedScoring.openUtterance = (...given) => ({
      ...scriptedScoring.openUtterance(...given),
      finish: () => new Promise(() => {}),
    });
    const { server, work } = await opened({ scoring: { ...scriptedScoring, openUtterance } });
    const client = await connect(server.url);
    client.send(startMessage());
    const { session_id, resume_token } = await client.until('ready');
    client.frames(0, 24);
    client.send({ type: 'next_utterance', reference: { text: 'A dog.' } });
    client.frames(25, 34);
    client.send({ type: 'finalize', marker: 'mine' });
    const { message } = await client.until('info', ({ code }) => code === 'handed_over');
    expect(message).toBe(
      `utterances 1, 2 will be scored later: GET /v1/sessions/${session_id}/results with the resume_token`,
    );
    expect(await client.until('error')).toMatchObject({ code: 'inference_timeout' });
    work();
    const results = async () => await ask(server, `/v1/sessions/${session_id}/results`, resume_token);
    await expect.poll(async () => (await results()).status).toBe(200);
    const { body } = await results();
    const finals = (body as { results: { final: { utterance_id: number } }[] }).results.map(({ final }) => final);
    expect(finals).toMatchObject([
      { utterance_id: 1, reason: 'next_utterance', audio_ms: 500 },
      { utterance_id: 2, reason: 'finalize', marker: 'mine', audio_ms: 700 },
    ]);
  });

  it('is not handed over when it was finished, but its final is kept for who has not read it', async () => {
    const { server, queue } = await opened();
    const client = await connect(server.url, { autoPong: false });
    client.send(startMessage());
    const { session_id, resume_token } = await client.until('ready');
    client.frames(0, 24);
    client.send({ type: 'finalize' });
    const { event_id: _, audio_ms: __, ...final } = await client.until('utterance_final');
    client.cut();
    const results = async () => await ask(server, `/v1/sessions/${session_id}/results`, resume_token);
    await expect.poll(async () => (await results()).status).toBe(200);
    expect((await results()).body).toMatchObject({ results: [{ utterance_id: 1, state: 'done', final }] });
    expect(queue.size).toBe(0);
  });

  it('is lost aloud when it was read for longer than sound is kept', async () => {
    const { server, handoff } = await opened({ limits: { maxBufferedMs: 60_000 } });
    const client = await connect(server.url);
    client.send(startMessage());
    await client.until('ready');
    client.frames(0, 700);
    await client.until('ack', ({ next_seq }) => next_seq > 700);
    client.cut();
    await expect.poll(() => handoff.numbers.outcomes).toMatchObject({ too_long: 1, handed: 0 });
  });
});

describe('who asks for results', () => {
  it.each([
    ['no token', 'results', undefined, 401],
    ['a token of nobody', 'results', 'x', 403],
    ['the wrong session', 'other', 'own', 404],
    ['the wrong path', 'path', 'own', 404],
    ['the wrong method', 'method', 'own', 405],
  ])('with %s is refused', async (_, what, token, status) => {
    const { server, results } = await opened();
    const { session_id, resume_token } = await handedOver(server, results);
    const path =
      what === 'other'
        ? '/v1/sessions/other/results'
        : `/v1/sessions/${session_id}/${what === 'path' ? 'x' : 'results'}`;
    const given = token === 'own' ? resume_token : token;
    const answer = await ask(server, path, given, what === 'method' ? 'POST' : 'GET');
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error: { code: expect.any(String) } });
  });

  it('may let the session be forgotten, after which nothing of it is scored or found', async () => {
    const { server, results, work, handoff } = await opened();
    const { session_id, resume_token } = await handedOver(server, results);
    const erased = await ask(server, `/v1/sessions/${session_id}`, resume_token, 'DELETE');
    expect(erased.status).toBe(204);
    work();
    const gone = await ask(server, `/v1/sessions/${session_id}/results`, resume_token);
    expect(gone).toMatchObject({ status: 410, body: { error: { message: 'the session was erased' } } });
    // It is sealed and appended after the session's results are expected.
    await expect.poll(() => handoff.numbers.outcomes.handed).toBe(1);
  });

  it('after all has run out is told that it has', async () => {
    const { server, results, pass } = await opened();
    const { session_id, resume_token } = await handedOver(server, results);
    pass(keepMs + 1);
    const gone = await ask(server, `/v1/sessions/${session_id}/results`, resume_token);
    expect(gone).toMatchObject({ status: 410, body: { error: { message: 'its results were kept no longer' } } });
  });
});

/** A session whose utterance waits for a worker. */
async function handedOver(server: RunningServer, results: MemoryResultStore) {
  const client = await connect(server.url);
  client.send(startMessage());
  const ready = await client.until('ready');
  client.frames(0, 9);
  await client.until('ack', ({ next_seq }) => next_seq === 10);
  client.cut();
  await expect.poll(async () => (await results.read(ready.session_id)).kind).toBe('found');
  return ready;
}

async function ask(server: RunningServer, path: string, token?: string, method = 'GET') {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: text === '' ? undefined : (JSON.parse(text) as object),
  };
}
