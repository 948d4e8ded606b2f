import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Log } from '../../telemetry/log.ts';
import { stackOf } from '../../telemetry/log.ts';
import type { Membership } from '../admission/membership.ts';
import type { Refusal } from '../refusal.ts';
import { KnownUsers } from './known-users.ts';
import {
  type GrantedStart,
  isUsedUp,
  type Party,
  partiesOf,
  type Quota,
  soundUsedUp,
  startsCapped,
  startWindowOf,
} from './quota.ts';

export type LocalQuotaOptions = {
  log: Log;
  /** ms since 1970: days begin by it. */
  wallMs(): number;
};

/**
 * Counts starts a second and minutes of sound a day of this server alone. How many sessions there
 * are is known to its accounts.
 */
export class LocalQuota implements Quota {
  readonly #options: LocalQuotaOptions;
  /** By what is counted, points and seconds. */
  readonly #limiters = new Map<string, RateLimiterMemory>();
  /** Sound of a day, ms, as it was last counted: who has used all of it is told so at once. */
  readonly #heard = new Map<string, number>();
  readonly #users = new KnownUsers();

  constructor(options: LocalQuotaOptions) {
    this.#options = options;
  }

  spent(member: Membership): Refusal | undefined {
    for (const party of partiesOf(member)) {
      const refusal = this.#usedUp(party, this.#heard.get(this.#dayKey(party)) ?? 0);
      if (refusal) return refusal;
    }
    return undefined;
  }

  async start(member: Membership): Promise<Refusal | GrantedStart> {
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
    return uncounted;
  }

  returned(): GrantedStart {
    return uncounted;
  }

  heard(member: Membership, ms: number): void {
    for (const party of partiesOf(member)) {
      // Users may be many, and nobody asks of one without a cap.
      if (party.who === 'this user' && party.caps.audioMinutesPerDay === undefined) continue;
      if (party.who === 'this user') this.#users.heard(member);
      const key = this.#dayKey(party);
      this.#days()
        .penalty(key, Math.round(ms))
        .then(
          ({ consumedPoints }) => this.#remember(key, consumedPoints),
          (error) => this.#options.log.error({ error: stackOf(error) }, 'the sound of a tenant could not be counted'),
        );
    }
  }

  async heardTodayMs(tenant: string, user?: string): Promise<number> {
    const key = user === undefined ? tenant : this.#users.keyOf(user);
    if (key === undefined) return 0;
    const { consumedPoints = 0 } = (await this.#days().get(this.#dayKey({ key }))) ?? {};
    return consumedPoints;
  }

  async #minutes(party: Party): Promise<Refusal | undefined> {
    if (party.caps.audioMinutesPerDay === undefined) return undefined;
    const key = this.#dayKey(party);
    const { consumedPoints = 0 } = (await this.#days().get(key)) ?? {};
    this.#remember(key, consumedPoints);
    return this.#usedUp(party, consumedPoints);
  }

  async #starts(party: Party): Promise<Refusal | undefined> {
    const window = startWindowOf(party.caps);
    if (!window) return undefined;
    try {
      await this.#limiter('starts', window.most, window.withinMs / 1000).consume(party.key);
      return undefined;
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      return startsCapped(party, error.msBeforeNext);
    }
  }

  #usedUp(party: Party, heardMs: number): Refusal | undefined {
    if (!isUsedUp(party.caps, heardMs)) return undefined;
    return soundUsedUp(party, dayMs - (this.#options.wallMs() % dayMs));
  }

  look(): void {}

  /** The limiter of days only counts: what is enough is for each cap to say. */
  #days(): RateLimiterMemory {
    return this.#limiter('sound', Number.MAX_SAFE_INTEGER, dayMs / 1000);
  }

  #limiter(what: string, points: number, duration: number): RateLimiterMemory {
    const name = `${what} ${points} ${duration}`;
    const limiter = this.#limiters.get(name) ?? new RateLimiterMemory({ keyPrefix: what, points, duration });
    this.#limiters.set(name, limiter);
    return limiter;
  }

  #dayKey({ key }: Pick<Party, 'key'>): string {
    return `${new Date(this.#options.wallMs()).toISOString().slice(0, 10)} ${key}`;
  }

  #remember(key: string, heardMs: number): void {
    this.#heard.delete(key);
    this.#heard.set(key, heardMs);
    const [oldest] = this.#heard.keys();
    if (oldest !== undefined && this.#heard.size > mostRemembered) this.#heard.delete(oldest);
  }
}

const uncounted: GrantedStart = { release() {} };
const dayMs = 86_400_000;
const mostRemembered = 10_000;
