import type { Samples } from '../../acoustic/engine/types.ts';
import type { Hearing } from '../../backends/backend.ts';
import type { ManagedBackend } from '../hearing/managed-backend.ts';
import type { PhoneScores } from '../hearing/phone-scores.ts';
import type { RoutedSession } from '../hearing/routed-session.ts';
import type { ShadowPart } from './tenant-shares.ts';
import type { HeardSide } from './utterance-record.ts';

export type ShadowHearingOptions = {
  session: RoutedSession;
  sampleRateHz: number;
  backend: ManagedBackend;
  /** Name and version of the model of ours that it is; null: it is another's. */
  model: string | null;
  /** Dollars an audio minute. */
  price: number;
  /** Whether it runs on machines of our own, beside those whom learners hear by. */
  isOurs: boolean;
  /** What the session's tenant may have of the backend; undefined: all of it. */
  share: ShadowPart | undefined;
  /** Monotonic, ms. */
  now(): number;
};

/**
 * One session as a shadow hears it. Its utterances come out one by one: with their final text, or
 * with why none came. Whatever its backend does, nothing of it reaches the session.
 */
export class ShadowHearing {
  readonly #options: ShadowHearingOptions;
  readonly #utterances: Shadowed[] = [];
  #hearing: Hearing | undefined;
  #failed: HeardSide['failed'] = null;
  #isOver = false;
  #isReleased = false;

  constructor(options: ShadowHearingOptions) {
    this.#options = options;
  }

  /**
   * Whether an utterance may begin: of a session that the backend hears while it has not cost what
   * it may, of another while nothing hinders it.
   *
   * @param isStrained learners are spared something for the load
   */
  mayBegin(isStrained: boolean): boolean {
    if (this.#options.share?.isOpen === false) return false;
    if (isStrained && this.#options.isOurs) return false;
    const why = this.#options.backend.hindrance()?.why;
    return this.#hearing ? why !== 'over its cost' : why === undefined || this.#failed !== null;
  }

  /** Begins an utterance; `onHeard` is called once, later. */
  begin(reference: string, onHeard: (side: HeardSide) => void): { over(): void } {
    const utterance: Shadowed = { onHeard, audioMs: 0, endedMs: undefined, timer: undefined, isDone: false };
    this.#utterances.push(utterance);
    if (this.#failed !== null) this.#settle(utterance, undefined);
    else
      this.#safely(() => {
        if (this.#hearing) this.#hearing.next(reference);
        else this.#open(reference);
      });
    return { over: () => this.#over(utterance) };
  }

  push(samples: Samples, startMs: number): void {
    const utterance = this.#utterances.at(-1);
    if (!utterance || utterance.isDone || this.#failed !== null) return;
    const audioMs = (samples.length / this.#options.sampleRateHz) * 1000;
    utterance.audioMs += audioMs;
    this.#options.share?.heard(audioMs, this.#options.price);
    this.#safely(() => this.#hearing?.push(samples, startMs));
  }

  /** No further utterance begins: what is awaited may still come. */
  close(): void {
    this.#isOver = true;
    for (const utterance of this.#utterances) if (utterance.endedMs === undefined) this.#over(utterance);
    this.#closeWhenDone();
  }

  #open(reference: string): void {
    const { session, sampleRateHz, backend } = this.#options;
    const { id, language } = session;
    const input = { session: `${id}~shadow`, language, sampleRateHz, reference, deadlineMs: patienceMs };
    this.#hearing = backend.open(input, {
      onReady() {},
      onText: ({ utterance: number, text, isFinal, phones }) => {
        const heard = this.#utterances[number];
        if (isFinal && heard) this.#settle(heard, text, phones);
      },
      onError: (error) => this.#fail(error.class),
    });
  }

  #over(utterance: Shadowed): void {
    if (utterance.endedMs !== undefined) return;
    utterance.endedMs = this.#options.now();
    if (utterance.isDone) return;
    utterance.timer = setTimeout(() => this.#settle(utterance, undefined), patienceMs);
    utterance.timer.unref();
    if (utterance === this.#utterances.at(-1)) this.#safely(() => this.#hearing?.utteranceOver());
  }

  #fail(why: NonNullable<HeardSide['failed']>): void {
    this.#failed ??= why;
    this.#close();
    for (const utterance of this.#utterances) this.#settle(utterance, undefined);
  }

  #settle(utterance: Shadowed, text: string | undefined, phones?: PhoneScores): void {
    if (utterance.isDone) return;
    utterance.isDone = true;
    clearTimeout(utterance.timer);
    const { backend, model, price, now } = this.#options;
    const { audioMs, endedMs, onHeard } = utterance;
    // It holds texts, and a session has many utterances.
    utterance.onHeard = undefined;
    const finalMs = text === undefined ? undefined : Math.max(0, now() - (endedMs ?? now()));
    const dollars = (audioMs / 60_000) * price;
    onHeard?.({ backend: backend.name, model, phones, text, finalMs, audioMs, dollars, failed: this.#failed });
    this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#isOver && this.#utterances.every(({ isDone }) => isDone)) this.#close();
  }

  #close(): void {
    const hearing = this.#hearing;
    this.#hearing = undefined;
    if (!this.#isReleased) this.#options.share?.release();
    this.#isReleased = true;
    this.#safely(() => hearing?.close());
  }

  /** A backend throws nothing; one that does is a fault of it, and of nobody else. */
  #safely(work: () => void): void {
    try {
      work();
    } catch {
      this.#fail('fault');
    }
  }
}

type Shadowed = {
  /** Undefined once it was called. */
  onHeard: ((side: HeardSide) => void) | undefined;
  audioMs: number;
  endedMs: number | undefined;
  timer: NodeJS.Timeout | undefined;
  isDone: boolean;
};

/** How long a final is waited for: nobody else waits with it. */
const patienceMs = 15_000;
