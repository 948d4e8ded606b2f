import { redisBackoffMs } from './redis-client.ts';
import { type RedisTrouble, troubleOf } from './redis-trouble.ts';

export type StorePartOptions = {
  /** Whether it does what it is for; rejects with why not. */
  ask(): Promise<void>;
  /** Whether there is a connection: one that broke is made anew by itself. */
  isConnected(): boolean;
  /** Makes a new one instead of one that may lead to the wrong end. */
  reconnect(): void;
  onUp(): void;
  onDown(trouble: RedisTrouble): void;
  onBack(): void;
};

/** Whether a store, or one node of it, answers. One that does not is asked until it does. */
export class StorePart {
  readonly #options: StorePartOptions;
  /** Undefined: that is still to be seen. */
  #isUp: boolean | undefined;
  #isClosed = false;
  #isAsking = false;
  #timer: NodeJS.Timeout | undefined;
  #tries = 0;
  /** What was told of why it is away. */
  #told: RedisTrouble | undefined;
  /** Whether a call was refused, which may be so again although asking is answered. */
  #isDoubtful = false;

  constructor(options: StorePartOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#isUp === true;
  }

  /** A call was answered. */
  worked(): void {
    if (!this.#isUp) return;
    this.#tries = 0;
    if (this.#isDoubtful) this.#back();
  }

  /** A call failed, on a connection that there is. */
  failed(trouble: RedisTrouble): void {
    if (this.#isUp) this.#isDoubtful = trouble.why === 'refused';
    this.lost(trouble);
    this.#askLater();
  }

  /** There is no connection any more, or not yet. */
  lost(trouble: RedisTrouble): void {
    if (this.#isClosed) return;
    const isToBeTold = !this.#told || saysMore(trouble, this.#told);
    this.#isUp = false;
    if (!isToBeTold) return;
    this.#told = trouble;
    this.#options.onDown(trouble);
  }

  /** It is there, as far as can be told without asking. */
  answered(): void {
    this.#up();
  }

  /** Asks whether it does what it is for, now that there is a connection. */
  async ask(): Promise<void> {
    await this.#ask();
  }

  close(): void {
    this.#isClosed = true;
    this.#isUp = false;
    clearTimeout(this.#timer);
  }

  /** Resolves to why it does not; undefined: it does, or could not be asked. */
  async #ask(): Promise<RedisTrouble | undefined> {
    clearTimeout(this.#timer);
    if (this.#isUp || this.#isClosed || this.#isAsking || !this.#options.isConnected()) return undefined;
    this.#isAsking = true;
    const trouble = await this.#options.ask().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? troubleOf(error) : (error as RedisTrouble)),
    );
    this.#isAsking = false;
    if (!trouble) {
      this.#up();
      return undefined;
    }
    if (trouble.why === 'refused') this.#isDoubtful = false;
    this.lost(trouble);
    this.#askLater();
    return trouble;
  }

  #askLater(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#askAgain(), redisBackoffMs(++this.#tries));
    this.#timer.unref();
  }

  async #askAgain(): Promise<void> {
    const trouble = await this.#ask();
    const isStuck = trouble?.why === 'timeout' && this.#tries % triesBeforeReconnect === 0;
    if (!this.#isClosed && (isStuck || trouble?.isElsewhere)) this.#options.reconnect();
  }

  #up(): void {
    if (this.#isUp || this.#isClosed) return;
    this.#isUp = true;
    if (!this.#isDoubtful) {
      this.#tries = 0;
      this.#back();
    }
    this.#options.onUp();
  }

  #back(): void {
    this.#isDoubtful = false;
    this.#told = undefined;
    this.#options.onBack();
  }
}

function saysMore(trouble: RedisTrouble, told: RedisTrouble): boolean {
  if (trouble.why === 'refused') return told.why !== 'refused';
  return trouble.isSeen === true && told.reason === undefined;
}

/** A connection whose other end stands still may be to a machine that is gone. */
const triesBeforeReconnect = 3;
