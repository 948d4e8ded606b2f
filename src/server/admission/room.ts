import type { Lane } from '../../protocol/client-messages.ts';
import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { Account } from './account.ts';
import { type CallerAccounts, refusedBy } from './accounts.ts';
import type { HttpRefusal } from './http-refusal.ts';
import { type GivenUp, SharedPool } from './shared-pool.ts';
import { shedRank } from './shed-order.ts';

/** What may be given up when somebody with less wants in, the first to go first. */
type Candidates = {
  connections(): Iterable<GivenUp>;
  sessions(): Iterable<GivenUp>;
  /**
   * A session that goes before those of this place in `shedOrder`, the first to go; undefined:
   * there is none now.
   */
  below(rank: number): GivenUp | undefined;
  /**
   * A session that goes for this caller, who has fewer than others; undefined: there is none now.
   */
  forOther(asker: CallerAccounts, rank: number): GivenUp | undefined;
};

/** What somebody wants a place for, which says who goes first where there are few. */
export type Wish = {
  lane: Lane;
  /** A place is kept for it. */
  isReturning: boolean;
  /** Another backend hears it and nobody scores it: it takes no place of the own model. */
  isElsewhere?: boolean;
};

export type RoomOptions = {
  limits: Limits;
  /** Share of what others have left that a caller may have; default: that of the limits. */
  placeShare?: number;
  /** Sessions that the server carries now. */
  capacity(): number;
  /** Places that are kept for sessions that were sent away. */
  kept(): number;
  candidates: Candidates;
  onGivenUp(what: 'connection' | 'session'): void;
};

/** The connections and sessions of a server, and who gets the next. */
export class Room {
  readonly #options: RoomOptions;
  readonly #connections: SharedPool;
  readonly #sessions: SharedPool;

  constructor(options: RoomOptions) {
    const { limits, placeShare = limits.placeShare } = options;
    this.#options = options;
    this.#connections = new SharedPool(() => limits.maxConnections, placeShare);
    this.#sessions = new SharedPool(options.capacity, placeShare);
  }

  /** Sessions that have a place. */
  get sessionsTaken(): number {
    return this.#sessions.taken;
  }

  /**
   * Why the caller gets no connection now; a place was freed for it if need be.
   *
   * @param isResume it comes back to a session that is there: sockets without one go before it does
   */
  connection(accounts: CallerAccounts, isResume = false): HttpRefusal | undefined {
    const { limits, candidates } = this.#options;
    const cap = refusedBy(accounts, ({ connectionCap }) => connectionCap);
    if (cap) {
      return { status: 429, reason: 'connection_cap', ...cap, retryAfterMs: limits.busyRetryMs };
    }
    const [first] = accounts;
    const lacks = this.#connections.lacks(first);
    if (lacks === undefined) return undefined;
    const [oldest] = isResume ? candidates.connections() : [];
    const givenUp = oldest ?? this.#connections.giveUpFor(first, candidates.connections());
    if (givenUp) {
      this.#giveUp(givenUp, 'connection');
      return undefined;
    }
    const refusal = { status: 503, code: 'server_busy', retryAfterMs: limits.busyRetryMs } as const;
    if (lacks === 'share') {
      const message = 'the few connections that are left are kept for callers who have fewer (place_share)';
      return { ...refusal, reason: 'connection_share', message, limit: 'placeShare' };
    }
    const message = `all ${limits.maxConnections} connections (max_connections) are taken; try again later`;
    return { ...refusal, reason: 'connections', message, limit: 'maxConnections' };
  }

  /** Takes the place of a connection; the function frees it, once. */
  takeConnection(accounts: CallerAccounts): () => void {
    const opened = accounts.map((account) => account.openConnection());
    return all([this.#connections.take(accounts[0]), ...opened]);
  }

  /**
   * Why there is no place for a session of this caller, and what could be given up to have one.
   *
   * @param isLate whether those inside are served too late for one more
   */
  session(accounts: CallerAccounts, wish: Wish, isLate = false): SessionPlace {
    const { candidates } = this.#options;
    const cap = refusedBy(accounts, ({ sessionCap }) => sessionCap);
    if (wish.isElsewhere) return { cap, lacks: undefined, givenUp: undefined, isElsewhere: true, isRelief: false };
    const [first] = accounts;
    const lacks = this.#sessions.lacks(first, 1, this.#kept(wish));
    const forShare = lacks && this.#sessions.giveUpFor(first, candidates.sessions());
    const rank = shedRank(wish.lane, first);
    const forRank = lacks === 'full' ? candidates.below(rank) : undefined;
    const isShort = isLate || (lacks !== undefined && !forShare && !forRank);
    const forOther = isShort ? candidates.forOther(accounts, rank) : undefined;
    const givenUp = forOther ?? forShare ?? forRank;
    const isRelief = isLate && forOther !== undefined;
    return { cap, lacks: givenUp ? undefined : lacks, givenUp, isElsewhere: false, isRelief };
  }

  /** Takes the place of a session; the function frees it, once. */
  takeSession(accounts: CallerAccounts, { givenUp, isElsewhere }: SessionPlace): () => void {
    if (givenUp) this.#giveUp(givenUp, 'session');
    const opened = accounts.map((account: Account) => account.openSession());
    return all(isElsewhere ? opened : [this.#sessions.take(accounts[0]), ...opened]);
  }

  /**
   * The account that has most of those with a place to give up, if that is more than `account`
   * would have then.
   */
  richest(what: 'connection' | 'session', account: Account, among: Iterable<GivenUp>): Account | undefined {
    const pool = what === 'connection' ? this.#connections : this.#sessions;
    return pool.giveUpFor(account, among)?.account;
  }

  /** The places that are for others than who wants this. */
  #kept({ lane, isReturning }: Wish): number {
    const { capacity, kept, limits } = this.#options;
    const forReturns = isReturning ? 0 : kept();
    const forLive = lane === 'batch' ? capacity() - Math.floor(capacity() * limits.batchShare) : 0;
    return Math.max(forReturns, forLive);
  }

  #giveUp(givenUp: GivenUp, what: 'connection' | 'session'): void {
    givenUp.giveUp();
    this.#options.onGivenUp(what);
  }
}

export type SessionPlace = {
  cap: Refusal | undefined;
  lacks: 'full' | 'share' | undefined;
  givenUp: GivenUp | undefined;
  /** It is none of the own model's. */
  isElsewhere: boolean;
  /** What is given up speaks: the machine has no more to do than before. */
  isRelief: boolean;
};

function all(acts: readonly (() => void)[]): () => void {
  return () => {
    for (const act of acts) act();
  };
}
