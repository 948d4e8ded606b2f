import type { Clock } from '../../clock/wheel.ts';

/** What the last 60 minutes of a backend have cost, by the minute. */
export class Spend {
  readonly #now: Clock;
  /** Dollars a minute of sound. */
  readonly #price: number;
  readonly #minutes = new Float64Array(minutes);
  #minute: number;
  /** Sound that has not been put to its minute yet, ms. */
  #audioMs = 0;

  constructor(now: Clock, price: number) {
    this.#now = now;
    this.#price = price;
    this.#minute = this.#current();
  }

  /** Sound went to the backend. */
  add(audioMs: number): void {
    this.#audioMs += audioMs;
  }

  /** Dollars. What was not asked for since counts to the present minute: never too early. */
  get lastHour(): number {
    const current = this.#current();
    const empty = Math.min(minutes, current - this.#minute);
    for (let at = 1; at <= empty; at++) this.#minutes[(this.#minute + at) % minutes] = 0;
    this.#minute = current;
    this.#minutes[current % minutes]! += (this.#audioMs / minuteMs) * this.#price;
    this.#audioMs = 0;
    return this.#minutes.reduce((sum, dollars) => sum + dollars, 0);
  }

  #current(): number {
    return Math.floor(this.#now() / minuteMs);
  }
}

const minutes = 60;
const minuteMs = 60_000;
