import { randomUUID } from 'node:crypto';
import { type Limits, wireName } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { Caps, TenantClass } from './membership.ts';
import { TokenBucket } from './token-bucket.ts';

/**
 * Under what callers are counted: their token, their tenant and who they are there, their address,
 * or together as this machine.
 */
export type AccountKind = 'token' | 'tenant' | 'user' | 'address' | 'machine';

export type AccountOptions = {
  kind: AccountKind;
  /** The address that it counts; undefined: that of this machine, or any. */
  address?: string | undefined;
  isShared: boolean;
  limits: Limits;
  nowMs: number;
  /** Called before something is taken of its rates that `takeSpent` has not told yet. */
  onSpent?: (account: Account) => void;
};

/** On what terms an account of a tenant's is served. */
type Terms = { caps: Caps; weight: number; class: TenantClass };

/** What was taken of an account's rates: phones of texts, and sessions asked for. */
export type RatesTaken = { phones: number; resumes: number; wrongResumes: number };

/**
 * What one token or address does a second. Each is limited by itself, before the limits of the
 * whole server, so that nobody pays for what another does wrong.
 */
export class Account {
  readonly id = randomUUID();
  readonly kind: AccountKind;
  /** The address that it counts: the same at every gateway, as `id` is not. */
  readonly address: string | undefined;
  #isShared: boolean;
  readonly #limits: Limits;
  readonly #starts: TokenBucket;
  readonly #wrongStarts: TokenBucket;
  readonly #phones: TokenBucket;
  readonly #resumes: TokenBucket;
  readonly #wrongResumes: TokenBucket;
  readonly #onSpent: (account: Account) => void;
  #spent: RatesTaken | undefined;
  #connections = 0;
  #sessions = 0;
  #terms: Terms = { caps: {}, weight: 1, class: 'live' };

  constructor(options: AccountOptions) {
    const { kind, address, isShared, limits, nowMs, onSpent = () => {} } = options;
    this.#onSpent = onSpent;
    const share = isShared ? Math.min(1, limits.rateShare) : 1;
    const bucket = (perSecond: () => number, burst: () => number) => new TokenBucket(perSecond, burst, nowMs);
    this.kind = kind;
    this.address = address;
    this.#isShared = isShared;
    this.#limits = limits;
    const starts = (): TokenBucket =>
      bucket(
        () => limits.startsPerSecond * share,
        () => Math.max(1, limits.startBurst * share),
      );
    this.#starts = starts();
    this.#wrongStarts = starts();
    this.#phones = bucket(
      () => limits.startPhonesPerSecond * share,
      () => limits.startPhoneBurst * share,
    );
    const resumes = (): TokenBucket =>
      bucket(
        () => limits.resumesPerSecond,
        () => limits.resumeBurst,
      );
    this.#resumes = resumes();
    this.#wrongResumes = resumes();
  }

  /** Whether there may be others who want the same places. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /** Its part of the places in proportion to others'. */
  get weight(): number {
    return this.#terms.weight;
  }

  /** How soon its sessions go when there are too many. */
  get class(): TenantClass {
    return this.#terms.class;
  }

  /** What a tenant's file says of it now, which may have changed. */
  set terms({ isShared, ...terms }: Terms & { isShared: boolean }) {
    this.#terms = terms;
    this.#isShared = isShared;
  }

  /** Sessions that it has. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Whether it has more than its cap lets it have now: the cap was lowered since. */
  get isOverCap(): boolean {
    return this.#sessions > (this.#terms.caps.maxSessions ?? Number.POSITIVE_INFINITY);
  }

  /** Whether it must be remembered: something of it is open. */
  get isInUse(): boolean {
    return this.#connections > 0 || this.#sessions > 0;
  }

  /** Why it may open no further connection, whatever room there is. */
  get connectionCap(): Refusal | undefined {
    return this.#cap('connections', this.#connections);
  }

  /** Why it may start no further session, whatever room there is. */
  get sessionCap(): Refusal | undefined {
    const { maxSessions } = this.#terms.caps;
    if (maxSessions === undefined || this.#sessions < maxSessions) return this.#cap('sessions', this.#sessions);
    const message = `${places[this.kind]} has ${this.#sessions} sessions; its cap is ${maxSessions} (maxSessions)`;
    return { code: 'tenant_cap', message, retryAfterMs: this.#limits.busyRetryMs };
  }

  /** Counts a connection until the function is called. */
  openConnection(): () => void {
    this.#connections += 1;
    return once(() => {
      this.#connections -= 1;
    });
  }

  /** Counts a session until the function is called. */
  openSession(): () => void {
    this.#sessions += 1;
    return once(() => {
      this.#sessions -= 1;
    });
  }

  /** Charges a start; wrong ones are counted apart, so that they cost right ones nothing. */
  start(nowMs: number, isRight = true): Refusal | undefined {
    return this.#tooManyStarts((isRight ? this.#starts : this.#wrongStarts).take(nowMs));
  }

  /** Why a start would be refused now, of which nothing is charged. */
  mayStart(nowMs: number): Refusal | undefined {
    return this.#tooManyStarts(this.#starts.waitMs(nowMs));
  }

  /** Charges a text that is read. */
  read(nowMs: number, phones: number): Refusal | undefined {
    const waitMs = this.#phones.take(nowMs, phones);
    if (waitMs === 0) this.#spend('phones', phones);
    return this.#limited(waitMs, 'phones of texts a second are read', 'startPhonesPerSecond');
  }

  /** Charges a resume; wrong ones are counted apart, so that they cost right ones nothing. */
  resume(nowMs: number, isRight: boolean): Refusal | undefined {
    const what = isRight ? 'sessions a second are resumed' : 'sessions a second are asked for in vain';
    const waitMs = (isRight ? this.#resumes : this.#wrongResumes).take(nowMs);
    if (waitMs === 0) this.#spend(isRight ? 'resumes' : 'wrongResumes', 1);
    return this.#limited(waitMs, what, 'resumesPerSecond');
  }

  /** What was taken of its rates since it was asked before. */
  takeSpent(): RatesTaken {
    const spent = this.#spent ?? { ...nothing };
    this.#spent = undefined;
    return spent;
  }

  /** Pays for what the same caller has taken elsewhere. */
  owe(nowMs: number, { phones, resumes, wrongResumes }: RatesTaken): void {
    this.#phones.owe(nowMs, phones);
    this.#resumes.owe(nowMs, resumes);
    this.#wrongResumes.owe(nowMs, wrongResumes);
  }

  #spend(what: keyof RatesTaken, count: number): void {
    if (!this.#spent) {
      this.#spent = { ...nothing };
      this.#onSpent(this);
    }
    this.#spent[what] += count;
  }

  #tooManyStarts(waitMs: number): Refusal | undefined {
    return this.#limited(waitMs, 'sessions a second are starting', 'startsPerSecond');
  }

  #limited(waitMs: number, what: string, limit: keyof Limits): Refusal | undefined {
    if (waitMs === 0) return undefined;
    const message = `more ${what} than ${wireName(limit)} lets ${places[this.kind]} have`;
    return { code: 'rate_limited', message, retryAfterMs: waitMs, limit };
  }

  #cap(what: 'connections' | 'sessions', count: number): Refusal | undefined {
    if (this.kind !== 'token' && this.kind !== 'address') return undefined;
    const limit = caps[what][this.kind];
    const most = this.#limits[limit];
    if (count < most) return undefined;
    const message = `${places[this.kind]} has ${count} ${what}; ${wireName(limit)} is ${most}`;
    return { code: 'rate_limited', message, retryAfterMs: this.#limits.busyRetryMs, limit };
  }
}

const nothing: RatesTaken = { phones: 0, resumes: 0, wrongResumes: 0 };
const places = {
  token: 'this token',
  tenant: 'this tenant',
  user: 'this user',
  address: 'this address',
  machine: 'this machine',
} as const;
const caps = {
  connections: { token: 'maxConnectionsPerToken', address: 'maxConnectionsPerAddress' },
  sessions: { token: 'maxSessionsPerToken', address: 'maxSessionsPerAddress' },
} as const;

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}
