import { isDeepStrictEqual } from 'node:util';
import type { ClientMessage, Lane, StartMessage } from '../../protocol/client-messages.ts';
import type { Account } from '../admission/account.ts';
import type { CallerAccounts } from '../admission/accounts.ts';
import { firstForOther, type HeldPlace, inOrderOfGoing, newestOf } from '../admission/fair-shares.ts';
import type { GivenUp } from '../admission/shared-pool.ts';
import { shedRank } from '../admission/shed-order.ts';
import type { SessionRoute } from '../hearing/route.ts';
import type { Refusal } from '../refusal.ts';
import { sameSecret } from '../secrets.ts';
import { contextOf, type ServerContext, type WorkAccount } from '../session/context.ts';
import type { OpenText } from '../session/open-text.ts';
import { Session, type SessionState } from '../session/session.ts';
import type { Resumption, SessionIdentity } from '../session/session-options.ts';

/** What a session begins with beside its start. */
export type SessionBegin = {
  text: OpenText;
  /** Pays for the texts that follow. */
  work: WorkAccount;
  owner: string | undefined;
  /** The first has one place more until `place` is called, when the session has ended. */
  accounts: CallerAccounts;
  place(): void;
  /** Whether its client could come back to it. */
  isResumable: boolean;
  /** What it is known by, where another gateway may know it. */
  identity?: SessionIdentity | undefined;
  /** What writes its transcript; absent: the own model, and no policy has a say. */
  route?: SessionRoute | undefined;
  /** How it goes on here; absent: it begins. */
  resumption?: Resumption;
};

/** The sessions of a server, those that wait for a resume among them. */
export class Registry {
  readonly #context: ServerContext;
  readonly #sessions = new Map<string, Session>();
  readonly #accounts = new Map<Session, CallerAccounts>();
  readonly #byKey = new Map<string, Started>();
  /** The sessions that others hear: they have no place that could be given up. */
  readonly #elsewhere = new Set<Session>();

  constructor(context: ServerContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Sessions that have a place of the own model. */
  get scored(): number {
    return this.#sessions.size - this.#elsewhere.size;
  }

  /** All of them, one by one; some may go meanwhile. */
  each(): Iterable<Session> {
    return this.#sessions.values();
  }

  all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** Whether a session waits for its client to come back. */
  hasDetached(): boolean {
    for (const session of this.#sessions.values()) if (session.state === 'detached') return true;
    return false;
  }

  get(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  /** The place of a session in `shedOrder`. */
  rankOf(session: Session): number {
    return shedRank(session.lane, this.accountOf(session));
  }

  /**
   * So many of those of a lane that stream and are scored, as they go when there are too many.
   *
   * @param guaranteed sessions beyond which those of one token, tenant or address go first
   */
  firstOf(lane: Lane, count: number, guaranteed: number): readonly Session[] {
    if (count === 0) return [];
    const places = this.#streamingPlaces().filter(({ session }) => session.lane === lane);
    return inOrderOfGoing(places, guaranteed).slice(0, count);
  }

  /** The session that goes for a caller with fewer, of those that stream and are scored. */
  firstForOther(asker: CallerAccounts, rank: number, guaranteed: number): Session | undefined {
    return firstForOther(this.#streamingPlaces(), asker, { rank, guaranteed });
  }

  /** The newest of an account's that streams and is scored, of the one who has most of them. */
  newestOf(account: Account, rank: number): Session | undefined {
    const places = this.#streamingPlaces().filter(({ accounts }) => accounts[0] === account);
    return newestOf(places, 1, rank);
  }

  /** The session that goes before all others that stream and are scored, if there is one. */
  firstToGo(): Session | undefined {
    let first: { session: Session; rank: number } | undefined;
    for (const session of this.#sessions.values()) {
      if (!this.#isScoredNow(session)) continue;
      const rank = this.rankOf(session);
      // Of several the one that came last.
      if (!first || rank <= first.rank) first = { session, rank };
    }
    return first?.session;
  }

  /** The sessions that stream, by lane. */
  countByLane(): Record<Lane, number> {
    const counts = { live: 0, batch: 0 };
    for (const session of this.#sessions.values()) if (session.state === 'streaming') counts[session.lane] += 1;
    return counts;
  }

  /** The sessions that stream and are scored, by lane. */
  scoredByLane(): Record<Lane, number> {
    const counts = this.countByLane();
    for (const session of this.#elsewhere) if (session.state === 'streaming') counts[session.lane] -= 1;
    return counts;
  }

  countByState(): Record<SessionState, number> {
    const counts = { streaming: 0, detached: 0, ending: 0 };
    for (const session of this.#sessions.values()) counts[session.state] += 1;
    return counts;
  }

  /**
   * The session that this start of the same caller already began under its idempotency key, if it
   * did and its `ready` may have been lost: a key opens a session that it began, so it must not for
   * longer than it is needed.
   */
  startedBefore(start: StartMessage, account: Account, owner?: string): Session | Refusal | undefined {
    const { limits, now } = this.#context;
    const key = keyOf(start, account);
    const started = this.#byKey.get(key);
    if (!started) return undefined;
    if (now() - started.atMs > limits.resumeTtlMs) {
      this.#byKey.delete(key);
      return undefined;
    }
    const isSame =
      started.session.owner === owner &&
      isDeepStrictEqual(withoutTrace(started.session.startedWith), withoutTrace(start));
    if (isSame) return started.session;
    return { code: 'session_conflict', message: 'idempotency_key was used with another start' };
  }

  /** The client has read `ready`: from here on only the token in it opens the session. */
  forgetKey(session: Session): void {
    const account = this.accountOf(session);
    if (!account) return;
    const key = keyOf(session.startedWith, account);
    if (this.#byKey.get(key)?.session === session) this.#byKey.delete(key);
  }

  /**
   * The sessions with a place that wait for a resume, the oldest first: they may be given up for
   * others.
   */
  *detached(): Iterable<GivenUp> {
    for (const [session, [account]] of this.#accounts) {
      if (session.state === 'detached' && !this.#elsewhere.has(session))
        yield { account, giveUp: () => session.abandon() };
    }
  }

  accountOf(session: Session): Account | undefined {
    return this.#accounts.get(session)?.[0];
  }

  create(start: StartMessage, begin: SessionBegin): Session {
    const { owner, accounts, place, ...rest } = begin;
    const model = begin.route?.model;
    const context = contextOf(this.#context, model);
    const release = model?.hold();
    const onEnd = (): void => {
      place();
      context.scoring.leave?.(session.id);
      release?.();
      this.forgetKey(session);
      this.#accounts.delete(session);
      this.#sessions.delete(session.id);
      this.#elsewhere.delete(session);
    };
    const session: Session = new Session({ context, start, ...rest, owner, onEnd });
    this.#accounts.set(session, accounts);
    this.#sessions.set(session.id, session);
    if (begin.route?.isElsewhere) this.#elsewhere.add(session);
    if (start.idempotency_key !== undefined) {
      this.#byKey.set(keyOf(start, accounts[0]), { session, atMs: this.#context.now() });
    }
    return session;
  }

  find(resume: Extract<ClientMessage, { type: 'resume' }>, owner: string | undefined): Session | Refusal {
    const session = this.#sessions.get(resume.session_id);
    if (!session) return { code: 'session_not_found', message: notFoundText };
    if (!sameSecret(session.resumeToken, resume.resume_token)) {
      return { code: 'unauthorized', message: 'resume_token does not belong to this session' };
    }
    if (session.owner !== owner) return { code: 'forbidden', message: 'the session belongs to another token' };
    this.forgetKey(session);
    return session;
  }

  /** The oldest first. */
  #streamingPlaces(): HeldPlace<Session>[] {
    const places: HeldPlace<Session>[] = [];
    for (const [session, accounts] of this.#accounts) {
      if (this.#isScoredNow(session)) places.push({ session, accounts, rank: shedRank(session.lane, accounts[0]) });
    }
    return places;
  }

  #isScoredNow(session: Session): boolean {
    return session.state === 'streaming' && !this.#elsewhere.has(session);
  }
}

const notFoundText = 'no such session: it never was, has ended, or its resume window has passed';

type Started = { session: Session; atMs: number };

/** Keys of one token or address never meet those of another. */
function keyOf({ idempotency_key }: StartMessage, account: Account): string {
  return `${account.id} ${idempotency_key}`;
}

/** A start as it is told from others: each try of the same may be a span of its own. */
export function withoutTrace({ traceparent: _span, ...start }: StartMessage): Omit<StartMessage, 'traceparent'> {
  return start;
}
