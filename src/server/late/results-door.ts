import type { IncomingMessage } from 'node:http';
import type { FoundResults, FoundUtterance, ResultStore } from '../../stores/result-store.ts';
import { isSessionId, StoreError } from '../../stores/session-store.ts';
import type { Caller } from '../admission/accounts.ts';
import { type HttpRefusal, refusalHeaders } from '../admission/http-refusal.ts';
import { hashOf, sameSecret } from '../secrets.ts';

/** What its endpoints are called where requests are counted. */
export const latePath = '/v1/sessions';

type LateAnswer = { status: number; body: object; headers: Record<string, string> };
export type LateDoor = (request: IncomingMessage, path: string) => Promise<LateAnswer>;

export type ResultsDoorOptions = {
  results: ResultStore;
  /** How long it is known that a session was erased, ms. */
  keepMs: number;
  /** The caller, by a token for the server. */
  identified(request: IncomingMessage): Promise<Caller | HttpRefusal>;
  /** A session that goes on here, or may. */
  live(id: string): { resumeToken: string; owner: string | undefined } | undefined;
};

export function isLatePath(path: string): boolean {
  return path.startsWith(`${latePath}/`);
}

/**
 * `GET /v1/sessions/ID/results`: the finals that could not be given live; `DELETE /v1/sessions/ID`:
 * forget all of it. Both are for who has the session's token, or is who started it.
 */
export function resultsDoor(options: ResultsDoorOptions): LateDoor {
  return async (request, path) => {
    const [, id = '', rest = ''] = /^\/v1\/sessions\/([^/]*)(.*)$/.exec(path) ?? [];
    const allowed = rest === '/results' ? ['GET', 'HEAD'] : rest === '' ? ['DELETE'] : [];
    if (allowed.length === 0 || !isSessionId(id)) return problem(404, 'not_found', `there is no ${path.slice(0, 120)}`);
    if (!allowed.includes(request.method ?? '')) {
      const allow = allowed.join(', ');
      return problem(405, 'method_not_allowed', `${request.method} is not one of ${allow}`, { allow });
    }
    try {
      return rest === '' ? await erase(options, request, id) : await read(options, request, id);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return problem(503, 'server_busy', 'the store of results does not answer', { 'retry-after': '1' });
    }
  };
}

async function read(options: ResultsDoorOptions, request: IncomingMessage, id: string): Promise<LateAnswer> {
  const found = await find(options, id);
  const refusal = await refused(options, request, found);
  if (refusal) return refusal;
  switch (found.kind) {
    case 'unknown':
      return problem(404, 'not_found', 'no such session, or nothing of it is to come: its finals were given live');
    case 'gone':
      return problem(
        410,
        'gone',
        found.why === 'erased' ? 'the session was erased' : 'its results were kept no longer',
      );
    case 'open':
      return waiting(id, []);
    case 'found': {
      const isPending = found.utterances.some(({ state }) => state === 'pending');
      if (isPending) return waiting(id, found.utterances);
      return { status: 200, body: bodyOf(id, found.utterances), headers: {} };
    }
  }
}

async function erase(options: ResultsDoorOptions, request: IncomingMessage, id: string): Promise<LateAnswer> {
  const found = await find(options, id);
  const refusal = await refused(options, request, found);
  if (refusal) return refusal;
  if (found.kind === 'unknown') return problem(404, 'not_found', 'no such session: nothing of it is kept');
  await options.results.erase(id, options.keepMs);
  return { status: 204, body: {}, headers: {} };
}

/** What the store has, or else that the session goes on here. */
async function find({ results, live }: ResultsDoorOptions, id: string): Promise<FoundResults> {
  const found = await results.read(id);
  const session = found.kind === 'unknown' ? live(id) : undefined;
  if (!session) return found;
  return { kind: 'open', tokenHash: hashOf(session.resumeToken), owner: session.owner && hashOf(session.owner) };
}

/** Why the caller may not ask; nobody without a token learns whether there is such a session. */
async function refused(
  { identified }: ResultsDoorOptions,
  request: IncomingMessage,
  found: FoundResults,
): Promise<LateAnswer | undefined> {
  const token = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) {
    const hint = '"Authorization: Bearer TOKEN", the resume_token of the session or the token that started it';
    return problem(401, 'unauthorized', `a token is needed: ${hint}`);
  }
  if (found.kind !== 'unknown' && found.tokenHash !== '' && sameSecret(hashOf(token), found.tokenHash))
    return undefined;
  const caller = await identified(request);
  const isUnknown = 'status' in caller;
  if (found.kind === 'unknown') return isUnknown && caller.status !== 401 ? refusedAs(caller) : undefined;
  if (isUnknown) return refusedAs(caller);
  if (caller.owner !== undefined && found.owner !== undefined && sameSecret(hashOf(caller.owner), found.owner)) {
    return undefined;
  }
  return problem(403, 'forbidden', 'the session belongs to another token');
}

function refusedAs(refusal: HttpRefusal): LateAnswer {
  return problem(refusal.status, refusal.code, refusal.message, refusalHeaders(refusal));
}

function waiting(id: string, utterances: readonly FoundUtterance[]): LateAnswer {
  return { status: 202, body: bodyOf(id, utterances), headers: { 'retry-after': String(askAgainS) } };
}

function bodyOf(id: string, utterances: readonly FoundUtterance[]): object {
  const results = utterances.map((one) => {
    const head = { utterance_id: one.utteranceId, state: one.state };
    if (one.state === 'done') return { ...head, final: JSON.parse(one.value) };
    return one.state === 'failed' ? { ...head, reason: one.value } : head;
  });
  return { session_id: id, results };
}

function problem(status: number, code: string, message: string, headers: Record<string, string> = {}): LateAnswer {
  return { status, body: { error: { code, message } }, headers };
}

/** A worker takes some seconds, once it gets to it. */
const askAgainS = 2;
