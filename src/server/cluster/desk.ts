import type { Lane } from '../../protocol/client-messages.ts';
import type { Account } from '../admission/account.ts';
import { Accounts, type Caller, type CallerAccounts, refusedBy } from '../admission/accounts.ts';
import { jittered, lacking, lackingText, tooManyStarts } from '../admission/admission.ts';
import { type HttpRefusal, tenantCap } from '../admission/http-refusal.ts';
import type { Membership } from '../admission/membership.ts';
import { Room, type SessionPlace, type Wish } from '../admission/room.ts';
import type { GivenUp } from '../admission/shared-pool.ts';
import { shedRank } from '../admission/shed-order.ts';
import { TokenBucket } from '../admission/token-bucket.ts';
import { WorkBudget } from '../admission/work-budget.ts';
import type {
  AskedFor,
  BegunElsewhere,
  SharedClaims,
  SharedStart,
  SharedWhat,
  Used,
  WhenFree,
} from '../gateway/outside/supervision.ts';
import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { GrantedStart, Quota } from '../tenants/quota.ts';
import type { Granted } from './messages.ts';

export type DeskOptions = {
  limits: Limits;
  /** How many tokens the server knows; 0: none. */
  tokens: number;
  /** Holds tenants to their caps. */
  quota: Quota;
  /** Sessions that all gateways together carry now. */
  capacity(): number;
  /** Whether sessions wait for their clients to come back, at any gateway. */
  hasDetached(): boolean;
  /** Lets a gateway free a place of this caller's; undefined: none may go. */
  giveUp(gateway: number, asked: AskedFor): Promise<WhenFree | undefined>;
  /** Monotonic, ms. */
  now(): number;
};

/**
 * Gives out the places of the whole server, by the same rules as a server of one process: however
 * many gateways there are, there is one desk, so that no limit is ever met twice.
 */
export class Desk {
  readonly #options: DeskOptions;
  readonly #accounts: Accounts;
  readonly #room: Room;
  readonly #work: WorkBudget;
  readonly #starts: TokenBucket;
  /** Upgrades that may be resumes without saying so. */
  readonly #unnamed: TokenBucket;
  readonly #places = new Map<number, Place>();
  readonly #byKey = new Map<string, Place>();
  #next = 1;

  constructor(options: DeskOptions) {
    const { limits, tokens, capacity, now } = options;
    this.#options = options;
    this.#accounts = new Accounts({ limits, tokens, now });
    this.#work = new WorkBudget(limits, now);
    this.#starts = new TokenBucket(
      () => limits.startsPerSecond,
      () => limits.startBurst,
      now(),
    );
    // Whoever has a place to give up is asked before it counts as given up: see `#makeRoom`.
    const candidates = { connections: none, sessions: none, below: () => undefined, forOther: () => undefined };
    // Places of sessions that were sent away are kept where they were.
    this.#room = new Room({ limits, capacity, kept: () => 0, candidates, onGivenUp() {} });
    this.#unnamed = new TokenBucket(
      () => limits.unnamedPerSecond,
      () => limits.unnamedBurst,
      now(),
    );
  }

  /** How many places of a kind are taken, of one gateway or of all. */
  taken(what: SharedWhat, gateway?: number): number {
    let count = 0;
    for (const place of this.#places.values()) {
      if (place.what === what && (gateway === undefined || place.gateway === gateway)) count += 1;
    }
    return count;
  }

  async connection(gateway: number, caller: Caller, claims: SharedClaims): Promise<HttpRefusal | Granted> {
    const accounts = this.#accounts.of(caller);
    const spent = caller.member && this.#options.quota.spent(caller.member);
    const noSession = claims.isResume ? undefined : this.#noSession(accounts, claims, spent);
    let refusal = noSession ?? this.#room.connection(accounts);
    if (refusal?.limit && refusal.status === 503 && (await this.#makeRoom('connection', accounts[0]))) {
      refusal = this.#room.connection(accounts);
      // What was given up for this caller is not kept for others.
      if (refusal?.reason === 'connection_share') refusal = undefined;
    }
    if (refusal) return refusal;
    const free = this.#room.takeConnection(accounts);
    return this.#take({ gateway, what: 'connection', caller: firstOf(caller), account: accounts[0], free });
  }

  async session(gateway: number, caller: Caller, start: SharedStart): Promise<Refusal | Granted | BegunElsewhere> {
    const accounts = this.#accounts.of(caller);
    const key = start.key === undefined ? undefined : `${accounts[0].id} ${start.key}`;
    const begun = key === undefined ? undefined : this.#begun(key);
    if (begun !== undefined && begun !== gateway) return { gateway: begun };
    const counted = caller.member && (await this.#counted(caller.member, start));
    if (counted && 'code' in counted) return counted;
    const wish = wishOf(start.lane, start.isElsewhere);
    let place = this.#room.session(accounts, wish);
    if (place.lacks && !place.cap) {
      const rank = shedRank(wish.lane, accounts[0]);
      const free = start.sendsAway ? 'soon' : await this.#makeRoom('session', accounts[0], rank);
      // Nothing is waited for from here on: what is asked now is what is taken.
      place = this.#room.session(accounts, wish);
      const isItsOwn = free === 'soon' || (free === 'now' && place.lacks === 'share');
      if (isItsOwn) place = { ...place, lacks: undefined };
    }
    const refusal = this.#refusal(place, accounts, start);
    if (refusal) {
      counted?.release();
      return refusal;
    }
    const nowMs = this.#options.now();
    this.#starts.take(nowMs);
    this.#work.started(start.phones);
    const freeHere = this.#room.takeSession(accounts, place);
    const free = (): void => {
      freeHere();
      counted?.release();
    };
    const rest = { account: accounts[0], free, key, atMs: nowMs };
    return this.#take({ gateway, what: 'session', caller: firstOf(caller), ...rest });
  }

  /** Tenants have used so much at a gateway. */
  used(used: readonly Used[]): void {
    for (const { member, ms } of used) this.#options.quota.heard(member, ms);
  }

  /** The sound that was heard today of a tenant, or one of its users, at all gateways, ms. */
  heardTodayMs(tenant: string, user?: string): Promise<number> {
    return this.#options.quota.heardTodayMs(tenant, user);
  }

  /** To be called about once a second. */
  look(): void {
    this.#options.quota.look();
  }

  /** A place is given back. */
  free(number: number): void {
    const place = this.#places.get(number);
    if (!place) return;
    this.#places.delete(number);
    if (place.key !== undefined && this.#byKey.get(place.key) === place) this.#byKey.delete(place.key);
    place.free();
  }

  /** A gateway is gone, and all that it had. */
  gone(gateway: number): void {
    for (const [number, place] of this.#places) if (place.gateway === gateway) this.free(number);
  }

  /** The refusal while no session of this caller can start, and nobody can come back to one. */
  #noSession(
    accounts: CallerAccounts,
    { lane, mayResume, maySpill, sendsAway }: SharedClaims,
    spent: Refusal | undefined,
  ): HttpRefusal | undefined {
    const { limits, capacity, hasDetached, now } = this.#options;
    const { cap, lacks: lacksOwn } = this.#room.session(accounts, wishOf(lane));
    const goes = lacksOwn && (sendsAway || this.#richest('session', accounts[0], new Set())?.maySpeak);
    const lacks = maySpill || goes ? undefined : lacksOwn;
    const capped = tenantCap(spent ?? cap);
    if (!lacks && !capped) return undefined;
    if (mayResume && hasDetached() && this.#unnamed.take(now()) === 0) return undefined;
    if (capped || !lacks) return capped;
    const retryAfterMs = jittered(limits.busyRetryMs);
    const message = lackingText(lacks, { lane, capacity: capacity() }, limits);
    return { status: 503, reason: 'overload', code: 'server_busy', message, retryAfterMs };
  }

  /** Takes a place among all of the tenant's; no cap refuses a session that is there already. */
  #counted(member: Membership, { isReturn }: SharedStart): Promise<Refusal | GrantedStart> | GrantedStart {
    const { quota } = this.#options;
    return isReturn ? quota.returned(member) : quota.start(member);
  }

  #refusal(
    place: SessionPlace,
    accounts: CallerAccounts,
    { phones, lane, isReturn, isElsewhere }: SharedStart,
  ): Refusal | undefined {
    const { limits, capacity, now } = this.#options;
    const nowMs = now();
    const waitMs = this.#starts.waitMs(nowMs);
    // Whoever hears them, so many sessions are all that there may be.
    const lacks = isElsewhere && this.taken('session') >= limits.maxSessions ? 'full' : place.lacks;
    return (
      (isReturn && tenantCap(place.cap) ? undefined : place.cap) ??
      (lacks && lacking(lacks, { lane, capacity: capacity() }, limits)) ??
      (waitMs > 0 ? tooManyStarts(waitMs, limits) : undefined) ??
      refusedBy(accounts, (account) => account.start(nowMs)) ??
      this.#work.admit(phones)
    );
  }

  #take(place: Place): Granted {
    const number = this.#next++;
    this.#places.set(number, place);
    if (place.key !== undefined) this.#byKey.set(place.key, place);
    return { place: number };
  }

  /** The gateway at which a start with this key began a session, while its `ready` may be lost. */
  #begun(key: string): number | undefined {
    const place = this.#byKey.get(key);
    if (!place) return undefined;
    return this.#options.now() - (place.atMs ?? 0) > this.#options.limits.resumeTtlMs ? undefined : place.gateway;
  }

  /**
   * Asks for a place of whoever has most, if that is more than this account then has: first at the
   * gateway where most of them are. Undefined: none may go.
   */
  async #makeRoom(what: SharedWhat, account: Account, rank = 0): Promise<WhenFree | undefined> {
    const asked = new Set<Account>();
    while (asked.size < mostAsked) {
      const richest = this.#richest(what, account, asked);
      if (!richest) return undefined;
      asked.add(richest.account);
      for (const gateway of richest.gateways) {
        const { caller, maySpeak } = richest;
        const free = await this.#options.giveUp(gateway, { what, caller, maySpeak, rank });
        if (free !== undefined) return free;
      }
    }
    return undefined;
  }

  #richest(what: SharedWhat, account: Account, asked: ReadonlySet<Account>): Rich | undefined {
    const holders = new Map<Account, Place[]>();
    for (const place of this.#places.values()) {
      if (place.what !== what || asked.has(place.account)) continue;
      const own = holders.get(place.account);
      if (own) own.push(place);
      else holders.set(place.account, [place]);
    }
    const among = [...holders.keys()].map((candidate): GivenUp => ({ account: candidate, giveUp() {} }));
    const most = this.#room.richest(what, account, among);
    const places = most && holders.get(most);
    if (!most || !places) return undefined;
    const count = (gateway: number): number => places.filter((place) => place.gateway === gateway).length;
    const gateways = [...new Set(places.map((place) => place.gateway))].sort((a, b) => count(b) - count(a));
    const { limits, capacity } = this.#options;
    const maySpeak = what === 'session' && places.length > capacity() * limits.guaranteedShare;
    return { account: most, caller: places[0]!.caller, gateways, maySpeak };
  }
}

function wishOf(lane: Lane, isElsewhere = false): Wish {
  return { lane, isReturning: false, isElsewhere };
}

/** The caller by which the first of its accounts is named. */
function firstOf({ owner, address, member }: Caller): Caller {
  const first = { owner, address: owner === undefined ? address : undefined };
  return member ? { ...first, member: { ...member, user: undefined } } : first;
}

type Place = {
  gateway: number;
  what: SharedWhat;
  /** The holder, by the first of its accounts. */
  caller: Caller;
  account: Account;
  free(): void;
  key?: string | undefined;
  /** When it was taken, ms. */
  atMs?: number;
};

type Rich = {
  account: Account;
  caller: Caller;
  gateways: readonly number[];
  /** Whether it has more than is guaranteed, so that sessions that speak go, too. */
  maySpeak: boolean;
};

const none = (): Iterable<GivenUp> => [];
/** When so many of those that have most have nothing to give up, nobody else is asked. */
const mostAsked = 3;
