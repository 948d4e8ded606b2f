import { isDeepStrictEqual } from 'node:util';
import type { ClientMessage, StartMessage } from '../../protocol/client-messages.ts';
import type { Refusal } from '../refusal.ts';
import { sameSecret } from '../secrets.ts';
import type { ServerContext } from '../session/context.ts';
import { createSession, type Session, type SessionState } from '../session/session.ts';

/** The sessions of a server, those that wait for a resume among them. */
export type Registry = {
  /** The session that this start already began under its idempotency key, if it did. */
  startedBefore(start: StartMessage, owner: string | undefined): Session | Refusal | undefined;
  /** @throws SpeechfbError `invalid_reference` */
  create(start: StartMessage, owner: string | undefined): Session;
  find(resume: Extract<ClientMessage, { type: 'resume' }>, owner: string | undefined): Session | Refusal;
  all(): readonly Session[];
  readonly size: number;
  countByState(): Record<SessionState, number>;
};

export function createRegistry(context: ServerContext): Registry {
  const sessions = new Map<string, Session>();
  const keys = new Map<string, Session>();
  return {
    startedBefore(start, owner) {
      const session = keys.get(keyOf(start, owner));
      if (!session || isDeepStrictEqual(session.startedWith, start)) return session;
      return { code: 'session_conflict', message: 'idempotency_key was used with another start' };
    },
    create(start, owner) {
      const key = keyOf(start, owner);
      const session = createSession(context, start, owner, () => {
        sessions.delete(session.id);
        if (keys.get(key) === session) keys.delete(key);
      });
      sessions.set(session.id, session);
      if (start.idempotency_key !== undefined) keys.set(key, session);
      return session;
    },
    find({ session_id, resume_token }, owner) {
      const session = sessions.get(session_id);
      if (!session) return { code: 'session_not_found', message: notFoundText };
      if (!sameSecret(session.resumeToken, resume_token)) {
        return { code: 'unauthorized', message: 'resume_token does not belong to this session' };
      }
      if (session.owner !== owner) return { code: 'forbidden', message: 'the session belongs to another token' };
      return session;
    },
    all: () => [...sessions.values()],
    get size() {
      return sessions.size;
    },
    countByState() {
      const counts = { streaming: 0, detached: 0, ending: 0 };
      for (const session of sessions.values()) counts[session.state()] += 1;
      return counts;
    },
  };
}

const notFoundText = 'no such session: it never was, has ended, or its resume window has passed';

/** Keys of one token's clients never meet another's. */
function keyOf(start: StartMessage, owner: string | undefined): string {
  return JSON.stringify([owner ?? null, start.idempotency_key ?? null]);
}
