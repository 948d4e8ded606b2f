/** Mail that a thread's exchange looks after. */
export type Member = {
  /** Reads what came and acts on it. */
  collect(): void;
  /** Sends on what was said, waking the other thread if it sleeps. */
  send(): void;
  /** Wants to be woken from now on; false when something has come meanwhile. */
  sleep(): boolean;
  /** Need not be woken: it is looked after. */
  stayAwake(): void;
};

export type ExchangeOptions = {
  /** How long what was said may lie until it is sent, ms; in a busy thread longer. Default 2. */
  tickMs?: number;
};

/**
 * The mail of one thread with all of its workers, in rounds: many records, one timer, at most one
 * wake for each worker, and none for this thread while there is much to do. To be woken costs a
 * thread as much as hundreds of records, so a round comes later the more there is.
 */
export class Exchange {
  readonly #tickMs: number;
  readonly #members = new Set<Member>();
  #timer: NodeJS.Timeout | undefined;
  /** How often something was said since the last round. */
  #said = 0;
  #isBusy = false;

  constructor({ tickMs = defaultTickMs }: ExchangeOptions = {}) {
    this.#tickMs = tickMs;
  }

  /** Members are looked after in the order of joining: what one brings another may carry on. */
  join(member: Member): void {
    this.#members.add(member);
    if (!member.sleep()) this.soon();
  }

  leave(member: Member): void {
    this.#members.delete(member);
  }

  /** Something was said: it goes out with the next round. */
  soon(): void {
    this.#said++;
    if (this.#timer !== undefined) return;
    for (const member of this.#members) member.stayAwake();
    this.#schedule();
  }

  /** This thread was woken: a round at once, unless one is due anyway. */
  woken(): void {
    if (this.#timer === undefined) this.#round();
  }

  /** Nothing is looked after any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#members.clear();
  }

  #round(): void {
    this.#isBusy = this.#said >= busyAbove;
    for (const member of this.#members) member.collect();
    for (const member of this.#members) member.send();
    // What was said in this round has gone out with it.
    this.#said = 0;
    if (this.#isBusy) {
      // More will come within a tick: nobody needs to wake this thread until then.
      this.#schedule();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const member of this.#members) if (!member.sleep()) this.soon();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#round(), this.#isBusy ? busyTickMs : this.#tickMs);
  }
}

const defaultTickMs = 2;
/** In a busy thread; what is said waits half of it on average. */
const busyTickMs = 5;
/** So much said in a tick is a busy thread: some 100 learners who speak. */
const busyAbove = 8;
