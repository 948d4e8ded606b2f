import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { WorkAccount } from '../session/context.ts';
import { TokenBucket } from './token-bucket.ts';

/**
 * What the texts of all clients may cost, counted in phones of all their pronunciations: reading,
 * searching and reporting a text cost time and memory in proportion to them.
 */
export class WorkBudget {
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #starts: TokenBucket;
  #openPhones = 0;

  /** @param now monotonic, ms. */
  constructor(limits: Limits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#starts = new TokenBucket(limits.startPhonesPerSecond, limits.startPhoneBurst, now());
  }

  /** Phones of the texts that are open now. */
  get openPhones(): number {
    return this.#openPhones;
  }

  /** Why no session with a text of so many phones may start now. */
  admit(phones: number): Refusal | undefined {
    const { startPhonesPerSecond: perSecond, startPhoneBurst: burst } = this.#limits;
    const waitMs = this.#starts.take(this.#now(), phones);
    if (waitMs === 0) return undefined;
    const limits = `start_phones_per_second is ${perSecond}, start_phone_burst ${burst}`;
    return {
      code: 'rate_limited',
      message: `sessions with too long texts are starting: ${limits}`,
      retryAfterMs: waitMs,
    };
  }

  /** The account of one socket; a session keeps that of the socket which started it. */
  account(): WorkAccount {
    const { phonesPerSecond, phoneBurst } = this.#limits;
    const own = new TokenBucket(phonesPerSecond, phoneBurst, this.#now());
    return {
      charge: (phones) => {
        const waitMs = own.take(this.#now(), phones);
        if (waitMs === 0) return undefined;
        const limits = `phones_per_second is ${phonesPerSecond}, phone_burst ${phoneBurst}`;
        return { code: 'rate_limited', message: `too much text for one socket: ${limits}`, retryAfterMs: waitMs };
      },
      hold: (phones) => this.#hold(phones),
    };
  }

  #hold(phones: number): Refusal | (() => void) {
    const { maxOpenPhones, busyRetryMs } = this.#limits;
    if (this.#openPhones + phones > maxOpenPhones) {
      const message = `the texts that are being read have ${this.#openPhones} phones; max_open_phones is ${maxOpenPhones}`;
      return { code: 'server_busy', message, retryAfterMs: busyRetryMs };
    }
    this.#openPhones += phones;
    let held = phones;
    return () => {
      this.#openPhones -= held;
      held = 0;
    };
  }
}
