import { isDeepStrictEqual } from 'node:util';
import type { ClientMessage, StartMessage } from '../../protocol/client-messages.ts';
import type { Refusal } from '../refusal.ts';
import { sameSecret } from '../secrets.ts';
import type { ServerContext, WorkAccount } from '../session/context.ts';
import type { OpenText } from '../session/open-text.ts';
import { Session, type SessionState } from '../session/session.ts';

/** The sessions of a server, those that wait for a resume among them. */
export class Registry {
  readonly #context: ServerContext;
  readonly #sessions = new Map<string, Session>();
  readonly #byKey = new Map<string, Session>();

  constructor(context: ServerContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#sessions.size;
  }

  all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** Whether a session waits for its client to come back. */
  hasDetached(): boolean {
    for (const session of this.#sessions.values()) if (session.state === 'detached') return true;
    return false;
  }

  /** So many of those that stream, the ones that started last. */
  newest(count: number): readonly Session[] {
    if (count === 0) return [];
    const streaming = this.all().filter((session) => session.state === 'streaming');
    return streaming.slice(-count);
  }

  countByState(): Record<SessionState, number> {
    const counts = { streaming: 0, detached: 0, ending: 0 };
    for (const session of this.#sessions.values()) counts[session.state] += 1;
    return counts;
  }

  /** The session that this start already began under its idempotency key, if it did. */
  startedBefore(start: StartMessage, owner: string | undefined): Session | Refusal | undefined {
    const session = this.#byKey.get(keyOf(start, owner));
    if (!session || isDeepStrictEqual(session.startedWith, start)) return session;
    return { code: 'session_conflict', message: 'idempotency_key was used with another start' };
  }

  /** @param begin the first text, who pays for those that follow, and whose session it is. */
  create(start: StartMessage, begin: { text: OpenText; work: WorkAccount; owner: string | undefined }): Session {
    const { owner } = begin;
    const key = keyOf(start, owner);
    const onEnd = (): void => {
      this.#sessions.delete(session.id);
      if (this.#byKey.get(key) === session) this.#byKey.delete(key);
    };
    const session: Session = new Session({ context: this.#context, start, ...begin, onEnd });
    this.#sessions.set(session.id, session);
    if (start.idempotency_key !== undefined) this.#byKey.set(key, session);
    return session;
  }

  find(resume: Extract<ClientMessage, { type: 'resume' }>, owner: string | undefined): Session | Refusal {
    const session = this.#sessions.get(resume.session_id);
    if (!session) return { code: 'session_not_found', message: notFoundText };
    if (!sameSecret(session.resumeToken, resume.resume_token)) {
      return { code: 'unauthorized', message: 'resume_token does not belong to this session' };
    }
    if (session.owner !== owner) return { code: 'forbidden', message: 'the session belongs to another token' };
    return session;
  }
}

const notFoundText = 'no such session: it never was, has ended, or its resume window has passed';

/** Keys of one token's clients never meet another's. */
function keyOf(start: StartMessage, owner: string | undefined): string {
  return JSON.stringify([owner ?? null, start.idempotency_key ?? null]);
}
