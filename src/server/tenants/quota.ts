import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Log } from '../../telemetry/log.ts';
import { stackOf } from '../../telemetry/log.ts';
import type { Caps, Membership } from '../admission/membership.ts';
import type { Refusal } from '../refusal.ts';

export type QuotaOptions = {
  log: Log;
  /** ms since 1970: days begin by it. */
  wallMs(): number;
};

/** What counts up to so many points within so many seconds, here or for all servers. */
type Limiter = Pick<RateLimiterMemory, 'consume' | 'get' | 'penalty'>;

/**
 * What tenants and their users may have over time: starts a second and minutes of sound a day.
 * Counting may take a while, so nothing of it is done for a frame.
 */
export class TenantQuota {
  readonly #options: QuotaOptions;
  /** By what is counted, points and seconds. */
  readonly #limiters = new Map<string, Limiter>();
  /** Sound of a day, ms, as it was last counted: who has used all of it is told so at once. */
  readonly #heard = new Map<string, number>();

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  /** Why no session of this caller may start now, as far as that is known without counting. */
  spent(member: Membership): Refusal | undefined {
    for (const party of partiesOf(member)) {
      const refusal = this.#usedUp(party, this.#heard.get(this.#dayKey(party)) ?? 0);
      if (refusal) return refusal;
    }
    return undefined;
  }

  /** Charges a start, good or bad; or says why there may be none. */
  async start(member: Membership): Promise<Refusal | undefined> {
    try {
      // A user's first: what one asks for too often is not taken from the others of the tenant.
      for (const party of partiesOf(member)) {
        const refusal = (await this.#minutes(party)) ?? (await this.#starts(party));
        if (refusal) return refusal;
      }
    } catch (error) {
      // A fault of ours, or of what counts for us, keeps no learner out.
      this.#options.log.error({ error: stackOf(error) }, 'the caps of a tenant could not be counted');
    }
    return undefined;
  }

  /** Sound was heard, ms. */
  heard(member: Membership, ms: number): void {
    for (const party of partiesOf(member)) {
      if (party.caps.audioMinutesPerDay === undefined) continue;
      const key = this.#dayKey(party);
      this.#days()
        .penalty(key, Math.round(ms))
        .then(
          ({ consumedPoints }) => this.#remember(key, consumedPoints),
          (error) => this.#options.log.error({ error: stackOf(error) }, 'the sound of a tenant could not be counted'),
        );
    }
  }

  async #minutes(party: Party): Promise<Refusal | undefined> {
    if (party.caps.audioMinutesPerDay === undefined) return undefined;
    const key = this.#dayKey(party);
    const { consumedPoints = 0 } = (await this.#days().get(key)) ?? {};
    this.#remember(key, consumedPoints);
    return this.#usedUp(party, consumedPoints);
  }

  async #starts({ who, key, caps }: Party): Promise<Refusal | undefined> {
    const { startsPerSecond } = caps;
    if (startsPerSecond === undefined) return undefined;
    const seconds = Number.isInteger(startsPerSecond) ? 1 : fractionalSeconds;
    try {
      await this.#limiter('starts', Math.round(startsPerSecond * seconds), seconds).consume(key);
      return undefined;
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const message = `${who} starts more than ${startsPerSecond} sessions a second (startsPerSecond)`;
      return { code: 'tenant_cap', message, retryAfterMs: Math.max(1, error.msBeforeNext) };
    }
  }

  #usedUp({ who, caps }: Party, heardMs: number): Refusal | undefined {
    const { audioMinutesPerDay: most } = caps;
    if (most === undefined || heardMs < most * minuteMs) return undefined;
    const message = `${who} has used its ${most} minutes of sound of this day, UTC (audioMinutesPerDay)`;
    return { code: 'quota', message, retryAfterMs: dayMs - (this.#options.wallMs() % dayMs) };
  }

  /** The limiter of days only counts: what is enough is for each cap to say. */
  #days(): Limiter {
    return this.#limiter('sound', Number.MAX_SAFE_INTEGER, dayMs / 1000);
  }

  #limiter(what: string, points: number, duration: number): Limiter {
    const name = `${what} ${points} ${duration}`;
    const limiter = this.#limiters.get(name) ?? new RateLimiterMemory({ keyPrefix: what, points, duration });
    this.#limiters.set(name, limiter);
    return limiter;
  }

  #dayKey({ key }: Party): string {
    return `${new Date(this.#options.wallMs()).toISOString().slice(0, 10)} ${key}`;
  }

  #remember(key: string, heardMs: number): void {
    this.#heard.delete(key);
    this.#heard.set(key, heardMs);
    const [oldest] = this.#heard.keys();
    if (oldest !== undefined && this.#heard.size > mostRemembered) this.#heard.delete(oldest);
  }
}

/** One whose caps are counted: a user, or a tenant. */
type Party = { who: 'this user' | 'this tenant'; key: string; caps: Caps };

function partiesOf({ tenant, user, caps, userCaps }: Membership): Party[] {
  const whole: Party = { who: 'this tenant', key: tenant, caps };
  return user === undefined ? [whole] : [{ who: 'this user', key: `${tenant}/${user}`, caps: userCaps }, whole];
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
const fractionalSeconds = 10;
const mostRemembered = 10_000;
