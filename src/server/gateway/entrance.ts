import type { EngineStats } from '../../acoustic/engine/types.ts';
import type { Lane, StartMessage } from '../../protocol/client-messages.ts';
import type { ScoringStats } from '../../scoring/threads/pool.ts';
import { type CallerAccounts, refusedBy } from '../admission/accounts.ts';
import { Admission, jittered, lackingText, overloaded } from '../admission/admission.ts';
import { type TakePlace, takePlace } from '../admission/admit.ts';
import { type HttpRefusal, tenantCap } from '../admission/http-refusal.ts';
import type { ReturnTickets } from '../admission/return-tickets.ts';
import type { Room, SessionPlace, Wish } from '../admission/room.ts';
import { TokenBucket } from '../admission/token-bucket.ts';
import type { WorkBudget } from '../admission/work-budget.ts';
import type { Elsewhere } from '../hearing/router.ts';
import type { Limits } from '../limits.ts';
import type { OverloadControl } from '../overload/overload-control.ts';
import type { Refusal } from '../refusal.ts';
import type { UpgradeClaims } from './http/upgrade.ts';
import type { Registry } from './registry.ts';

export type EntranceOptions = {
  limits: Limits;
  registry: Pick<Registry, 'size' | 'has' | 'hasDetached'>;
  room: Room;
  work: WorkBudget;
  overload: OverloadControl;
  returns: ReturnTickets;
  /** Sessions that there may be at once. */
  capacity(): number;
  /** The state of the server, read at each call; `engine` is absent while the model warms up. */
  state(): { draining: boolean; engine: EngineStats | undefined; scoring: ScoringStats | undefined };
  /** The other gateways of this server. */
  others: {
    /** Whether a session of theirs waits for a resume. */
    detached(): boolean;
    /** Whether the id names one of them. */
    has(sessionId: string): boolean;
  };
  /** Whether sessions of gateways that are gone go on here. */
  takesOver: boolean;
  /** A session starts, and there are then so many. */
  onStart(sessions: number, nowMs: number): void;
  /** Monotonic, ms. */
  now(): number;
};

/** Asks everybody who has a say whether somebody may come in, in the order of what it costs. */
export class Entrance {
  readonly #options: EntranceOptions;
  readonly #admission: Admission;
  /** Upgrades that may be resumes without saying so. */
  readonly #unnamed: TokenBucket;

  constructor(options: EntranceOptions) {
    const { limits } = options;
    this.#options = options;
    this.#admission = new Admission(options.limits, options.now());
    this.#unnamed = new TokenBucket(
      () => limits.unnamedPerSecond,
      () => limits.unnamedBurst,
      options.now(),
    );
  }

  /**
   * Why no WebSocket is made for this caller now; a place for it was freed if need be.
   *
   * @param mayResume whether it could come back to a session.
   * @param spent why no session of its tenant can start.
   */
  connection(accounts: CallerAccounts, hints: SpillClaims, mayResume = true, spent?: Refusal): HttpRefusal | undefined {
    const { room } = this.#options;
    const isResume = this.isResume(hints, mayResume);
    return (
      (isResume ? undefined : this.#noSession(accounts, { ...hints, mayResume, spent })) ??
      (mayResume ? undefined : this.#noStart(accounts, hints)) ??
      room.connection(accounts, isResume)
    );
  }

  /**
   * Why no session of this caller may start with a text of so many phones, or how it does. Who was
   * sent away before goes before who is new, and a learner before a program that can wait.
   *
   * @param elsewhere whether other backends hear it without a place of the own model; asked once
   *   the model is there
   */
  session(
    accounts: CallerAccounts,
    start: Pick<StartMessage, 'lane' | 'return_ticket'>,
    phones: number,
    elsewhere?: () => Elsewhere | undefined,
  ): Refusal | TakePlace {
    const { registry, returns, room, work, state, now, onStart } = this.#options;
    const nowMs = now();
    const wish = this.#wish(start.lane, start.return_ticket);
    const carried = this.#carried(wish);
    const place = this.#placeOf(accounts, wish, elsewhere, this.#isShort(carried));
    const refusal =
      place.cap ??
      this.#admission.admit({ nowMs, ...wish, ...place, ...carried, ...state() }) ??
      refusedBy(accounts, (account) => account.mayStart(nowMs)) ??
      work.admit(phones);
    if (refusal) return refusal;
    const take = (): (() => void) => {
      if (start.return_ticket !== undefined) returns.use(start.return_ticket);
      for (const account of accounts) account.start(nowMs);
      this.#admission.started(nowMs);
      work.started(phones);
      const free = room.takeSession(accounts, place);
      onStart(registry.size + 1, nowMs);
      return free;
    };
    return takePlace(take, { ...place, sendsAway: place.givenUp !== undefined });
  }

  /** The same for a session that another gateway had: it goes before all that would start. */
  takeOver(
    accounts: CallerAccounts,
    { lane }: Pick<StartMessage, 'lane'>,
    elsewhere?: () => Elsewhere | undefined,
  ): Refusal | TakePlace {
    const { capacity, registry, room, state, now, onStart } = this.#options;
    const nowMs = now();
    const wish: Wish = { lane, isReturning: true };
    const place = this.#placeOf(accounts, wish, elsewhere);
    const { cap, lacks } = place;
    // What has begun is over no cap of its tenant's.
    const refusal =
      (tenantCap(cap) ? undefined : cap) ??
      this.#admission.takeOver({ nowMs, ...wish, lacks, capacity: capacity(), ...state() });
    if (refusal) return refusal;
    const take = (): (() => void) => {
      const free = room.takeSession(accounts, place);
      onStart(registry.size + 1, nowMs);
      return free;
    };
    return takePlace(take, { ...place, sendsAway: place.givenUp !== undefined });
  }

  /** Whether a session of this gateway would go for one of this caller's. */
  sendsAway(accounts: CallerAccounts, { lane, ticket, maySpill }: SpillClaims): boolean {
    const wish = this.#wish(lane, ticket);
    return this.#placeFor(accounts, wish, maySpill, this.#carried(wish).late !== undefined).givenUp !== undefined;
  }

  /** The place of a session: one of the own model, or none where others hear it alone. */
  #placeOf(
    accounts: CallerAccounts,
    wish: Wish,
    elsewhere?: () => Elsewhere | undefined,
    isLate = false,
  ): SessionPlace {
    const { limits, registry, room, state } = this.#options;
    const place = room.session(accounts, wish, isLate);
    const how = state().engine && elsewhere?.();
    if (how === undefined || (how === 'when full' && !place.lacks)) return place;
    // Whoever hears them, so many sessions are all that there may be.
    if (registry.size >= limits.maxSessions) return { ...place, lacks: 'full', givenUp: undefined };
    return room.session(accounts, { ...wish, isElsewhere: true });
  }

  /**
   * The refusal while no session of this caller can start: a WebSocket would be made for nothing.
   */
  #noSession(
    accounts: CallerAccounts,
    { lane, ticket, resume, mayResume, maySpill, spent }: SpillClaims & NoSession,
  ): HttpRefusal | undefined {
    const { limits, registry, state, now, others, takesOver } = this.#options;
    const wish = this.#wish(lane, ticket);
    const { capacity, late: isLate } = this.#carried(wish);
    const { cap, lacks, isRelief } = this.#placeFor(accounts, wish, maySpill, isLate !== undefined);
    const late = isRelief ? undefined : isLate;
    const capped = tenantCap(spent ?? cap);
    const leaving = state().draining ? 'the server is going away' : undefined;
    const message = leaving ?? late ?? (lacks && lackingText(lacks, { ...wish, capacity }, limits));
    if (message === undefined && !capped) return undefined;
    const comesFromElsewhere = takesOver && resume !== undefined && leaving === undefined;
    const mayBeAwaited = mayResume && (registry.hasDetached() || others.detached() || comesFromElsewhere);
    // It may come back to a session without naming it: while some wait for that, a few are heard
    // out.
    if (mayBeAwaited && this.#unnamed.take(now()) === 0) return undefined;
    if (capped || message === undefined) return capped;
    const retryAfterMs = jittered(limits.busyRetryMs);
    return { status: 503, reason: 'overload', code: 'server_busy', message, retryAfterMs };
  }

  /**
   * The refusal of a start that comes with the upgrade, or behind it. The clients of others know
   * what 429 and 503 mean, and of a close little.
   */
  #noStart(accounts: CallerAccounts, { lane, ticket, maySpill }: SpillClaims): HttpRefusal | undefined {
    const { state, now } = this.#options;
    const nowMs = now();
    const wish = this.#wish(lane, ticket);
    const carried = this.#carried(wish);
    const { lacks, isRelief } = this.#placeFor(accounts, wish, maySpill, this.#isShort(carried));
    const refusal =
      this.#admission.admit({ nowMs, ...wish, lacks, isRelief, ...carried, ...state() }) ??
      refusedBy(accounts, (account) => account.mayStart(nowMs));
    if (!refusal) return undefined;
    const { code, message, retryAfterMs, limit } = refusal;
    const isRate = code === 'rate_limited';
    return {
      status: isRate ? 429 : 503,
      reason: isRate ? 'starts' : 'overload',
      code,
      message,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(limit && { limit }),
    };
  }

  /**
   * What place a session would have whose start is not known yet; where others may hear it, it
   * lacks none of the own model.
   */
  #placeFor(accounts: CallerAccounts, wish: Wish, maySpill: boolean | undefined, isLate: boolean): SessionPlace {
    const { limits, registry, room } = this.#options;
    const place = room.session(accounts, wish, isLate);
    return maySpill && registry.size < limits.maxSessions ? { ...place, lacks: undefined } : place;
  }

  /** Whether the caller names a session that is there, or is that of another gateway. */
  isResume({ resume }: UpgradeClaims, mayResume: boolean): boolean {
    const { registry, others } = this.#options;
    return mayResume && resume !== undefined && (registry.has(resume) || others.has(resume));
  }

  #wish(lane: Lane, ticket: string | undefined): Wish {
    const { returns, now } = this.#options;
    return { lane, isReturning: returns.has(now(), ticket) };
  }

  /** Whether the machine has no room for one session more. */
  #isShort({ late }: { late: string | undefined }): boolean {
    return (late ?? overloaded(this.#options.state(), this.#options.limits)) !== undefined;
  }

  /** How many sessions there are places for, and why nobody may join them, if so. */
  #carried({ lane }: Wish): { capacity: number; late: string | undefined } {
    const { capacity, overload, registry } = this.#options;
    return { capacity: capacity(), late: overload.lateness(registry.size, lane) };
  }
}

/**
 * What an upgrade claims, and whether its session could be heard by others, without a place of the
 * own model.
 */
type SpillClaims = UpgradeClaims & { maySpill?: boolean };

/** What else is known of a request for a WebSocket. */
type NoSession = { mayResume: boolean; spent: Refusal | undefined };
