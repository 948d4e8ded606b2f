import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { WorkAccount } from '../session/context.ts';
import type { Account } from './account.ts';
import { type CallerAccounts, refusedBy } from './accounts.ts';
import { SharedPool } from './shared-pool.ts';
import { TokenBucket } from './token-bucket.ts';

/**
 * What the texts of all clients may cost, counted in phones of all their pronunciations: reading,
 * searching and reporting a text cost time and memory in proportion to them.
 */
export class WorkBudget {
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #starts: TokenBucket;
  readonly #open: SharedPool;

  /** @param now monotonic, ms. */
  constructor(limits: Limits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#starts = new TokenBucket(
      () => limits.startPhonesPerSecond,
      () => limits.startPhoneBurst,
      now(),
    );
    this.#open = new SharedPool(() => limits.maxOpenPhones, limits.placeShare);
  }

  /** Phones of the texts that are open now. */
  get openPhones(): number {
    return this.#open.taken;
  }

  /** Why no session with a text of so many phones may start now; `started` counts it. */
  admit(phones: number): Refusal | undefined {
    const { startPhonesPerSecond: perSecond, startPhoneBurst: burst } = this.#limits;
    const waitMs = this.#starts.waitMs(this.#now(), phones);
    if (waitMs === 0) return undefined;
    const limits = `start_phones_per_second is ${perSecond}, start_phone_burst ${burst}`;
    return {
      code: 'rate_limited',
      message: `sessions with too long texts are starting: ${limits}`,
      retryAfterMs: waitMs,
      limit: 'startPhonesPerSecond',
    };
  }

  /** A session with such a text has started. */
  started(phones: number): void {
    this.#starts.take(this.#now(), phones);
  }

  /**
   * The account of one socket, beside those of its token and address; a session keeps that of the
   * socket which started it.
   */
  account(payers: CallerAccounts): WorkAccount {
    const { phonesPerSecond, phoneBurst } = this.#limits;
    const own = new TokenBucket(phonesPerSecond, phoneBurst, this.#now());
    return {
      charge: (phones) => {
        const waitMs = own.take(this.#now(), phones);
        if (waitMs === 0) return refusedBy(payers, (payer) => payer.read(this.#now(), phones));
        const limits = `phones_per_second is ${phonesPerSecond}, phone_burst ${phoneBurst}`;
        const message = `too much text for one socket: ${limits}`;
        return { code: 'rate_limited', message, retryAfterMs: waitMs, limit: 'phonesPerSecond' };
      },
      hold: (phones) => this.#hold(payers[0], phones),
    };
  }

  #hold(payer: Account, phones: number): Refusal | (() => void) {
    const { maxOpenPhones, busyRetryMs } = this.#limits;
    const lacks = this.#open.lacks(payer, phones);
    if (lacks === undefined) return this.#open.take(payer, phones);
    const left = lacks === 'full' ? '' : ', and the few that are left are kept for others (place_share)';
    const message = `the texts that are being read have ${this.openPhones} phones; max_open_phones is ${maxOpenPhones}${left}`;
    return { code: 'server_busy', message, retryAfterMs: busyRetryMs, limit: 'maxOpenPhones' };
  }
}
