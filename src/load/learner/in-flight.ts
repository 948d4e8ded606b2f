/**
 * Messages of one direction between being written and being delivered, numbered in the order
 * written. Those that must keep their place wait for all before them and hold back all after them;
 * others pass as they come, which only a datagram transport lets happen.
 */
export class InFlight<T> {
  readonly #keepsPlace: (message: T) => boolean;
  /** `#waiting[i]` has place `#first + i`; undefined once it has been released. */
  readonly #waiting: (Entry<T> | undefined)[] = [];
  #first = 0;
  /**
   * Place of each number that was written for a message: a lost one that is written again has two
   * numbers.
   */
  readonly #places: number[] = [];
  #firstNumber = 0;

  constructor(keepsPlace: (message: T) => boolean) {
    this.#keepsPlace = keepsPlace;
  }

  /** A message was written under the next number. */
  write(message: T): void {
    this.#places.push(this.#first + this.#waiting.length);
    this.#waiting.push({ message, arrived: false });
  }

  /** The message of `number`, which was lost, was written again under the next number. */
  rewrite(number: number): void {
    this.#places.push(this.#placeOf(number));
  }

  /** What was written under `number`, unless it has been released. */
  message(number: number): T | undefined {
    return this.#waiting[this.#placeOf(number) - this.#first]?.message;
  }

  /** `number` has come: calls back every message that may pass now, in order. */
  arrive(number: number, release: (message: T) => void): void {
    const entry = this.#waiting[this.#placeOf(number) - this.#first];
    if (entry) entry.arrived = true;
    this.#settle(release);
  }

  /** `number` will never come; what waited for it may pass. */
  giveUp(number: number, release: (message: T) => void): void {
    const index = this.#placeOf(number) - this.#first;
    if (index >= 0) this.#waiting[index] = undefined;
    this.#settle(release);
  }

  #settle(release: (message: T) => void): void {
    this.#release(release);
    while (this.#waiting.length > 0 && this.#waiting[0] === undefined) {
      this.#waiting.shift();
      this.#first++;
    }
    while (this.#places.length > 0 && this.#places[0]! < this.#first) {
      this.#places.shift();
      this.#firstNumber++;
    }
  }

  #release(release: (message: T) => void): void {
    let allBefore = true;
    for (let i = 0; i < this.#waiting.length; i++) {
      const entry = this.#waiting[i];
      if (!entry) continue;
      const keeps = this.#keepsPlace(entry.message);
      if (!entry.arrived || (keeps && !allBefore)) {
        if (keeps) return;
        allBefore = false;
        continue;
      }
      this.#waiting[i] = undefined;
      release(entry.message);
    }
  }

  #placeOf(number: number): number {
    return this.#places[number - this.#firstNumber] ?? -1;
  }
}

type Entry<T> = { message: T; arrived: boolean };
