import type {
  Backend,
  BackendError,
  ErrorClass,
  Hearing,
  HearingEvents,
  HearingInput,
  HearingText,
} from './backend.ts';
import type { Breaker, Pass } from './breaker.ts';
import type { RetryOptions, TimeoutOptions } from './guard-options.ts';
import type { AdaptiveTimeout } from './measured/adaptive-timeout.ts';
import type { Spend } from './measured/spend.ts';
import type { RetryBudget } from './retry-budget.ts';
import { isLoud } from './sound/loudness.ts';
import type { Time } from './time.ts';

/** What the hearings of one guarded backend share. */
export type Ward = {
  readonly name: string;
  readonly backend: Backend;
  readonly time: Time;
  readonly random: () => number;
  readonly retry: RetryOptions;
  readonly retryBudget: RetryBudget;
  readonly breaker: Breaker;
  readonly spend: Spend;
  readonly timeouts: Readonly<Record<keyof TimeoutOptions, AdaptiveTimeout>>;
  /** It has text while the learner speaks. */
  readonly writesAsOneSpeaks: boolean;
  readonly counts: { retried: number; finals: number; timedOut: number; failed: Record<ErrorClass, number> };
  ended(hearing: GuardedHearing): void;
};

/** What the session did before its backend heard, so that another try can hear it too. */
type Deed = (hearing: Hearing) => void;

/**
 * One session at a guarded backend. Until it is ready its deeds are kept, and an opening that fails
 * is tried again while the budget of retries, the breaker and the one timeout for all tries allow
 * it. Then it costs a look at a clock now and then, and nothing else.
 */
export class GuardedHearing implements Hearing {
  readonly #ward: Ward;
  readonly #input: HearingInput;
  readonly #on: HearingEvents;
  #pass: Pass;
  #inner: Hearing | undefined;
  /** Undefined once the backend hears, or they have become too many to keep. */
  #deeds: Deed[] | undefined = [];
  #deedBytes = 0;
  #tries = 0;
  #retrying = false;
  #ready = false;
  #over = false;
  readonly #beganMs: number;
  /** When sound came that text is due for; undefined: nothing is due. */
  #owedMs: number | undefined;
  /** A timer is there that looks after it. */
  #isWatching = false;
  /** When the ends came of utterances without a final, in order. */
  readonly #ends: number[] = [];
  /** Utterances begun, and those of them whose sound is over. */
  #utterances = 1;
  #endedUtterances = 0;
  #cancelOpening: () => void = nothing;
  #cancelText: () => void = nothing;
  #cancelFinal: () => void = nothing;

  constructor(ward: Ward, pass: Pass, input: HearingInput, on: HearingEvents) {
    this.#ward = ward;
    this.#pass = pass;
    this.#input = input;
    this.#on = on;
    this.#beganMs = ward.time.now();
  }

  begin(): void {
    const { time, timeouts } = this.#ward;
    const waitMs = timeouts.ready.ms;
    this.#cancelOpening = time.at(this.#beganMs + waitMs, () => this.#timedOut('ready', waitMs));
    this.#try();
  }

  push(pcm: Int16Array | Float32Array, startMs: number): void {
    if (this.#over) return;
    this.#ward.spend.add((pcm.length / this.#input.sampleRateHz) * 1000);
    if (this.#ready) {
      if (this.#owedMs === undefined && isLoud(pcm)) this.#owe();
      this.#inner!.push(pcm, startMs);
      return;
    }
    const copy = this.#deeds && pcm.slice();
    this.#do(pcm.byteLength, (hearing) => hearing.push(copy ?? pcm, startMs));
  }

  utteranceOver(): void {
    if (this.#over) return;
    this.#ended();
    this.#do(deedBytes, (hearing) => hearing.utteranceOver());
  }

  next(reference?: string): void {
    if (this.#over) return;
    this.#ended();
    this.#utterances += 1;
    this.#do(deedBytes, (hearing) => hearing.next(reference));
  }

  close(): void {
    if (this.#end()) this.#ward.breaker.left(this.#pass);
  }

  /** Keeps it for another try, while there may be one, and does it. */
  #do(bytes: number, deed: Deed): void {
    if (!this.#ready && this.#deeds) {
      this.#deedBytes += bytes;
      if (this.#deedBytes <= mostDeedBytes) this.#deeds.push(deed);
      else this.#keepNoMore();
    }
    if (this.#inner) deed(this.#inner);
  }

  /** The try that runs may succeed yet; where none runs, a further one would not hear all. */
  #keepNoMore(): void {
    this.#deeds = undefined;
    const message = `${this.#ward.name} takes no session, and too much sound waits`;
    if (!this.#inner) queueMicrotask(() => this.#fail({ class: 'fault', message }));
  }

  #try(): void {
    const { backend } = this.#ward;
    const attempt = ++this.#tries;
    // A try that has failed is not heard any more.
    const isThis = (): boolean => !this.#over && attempt === this.#tries;
    this.#inner = backend.open(this.#input, {
      onReady: () => {
        if (isThis()) this.#becomeReady();
      },
      onText: (text) => {
        if (isThis()) this.#text(text);
      },
      onError: (error) => {
        if (isThis()) this.#failed(error);
      },
    });
    for (const deed of this.#deeds ?? []) deed(this.#inner);
  }

  #becomeReady(): void {
    if (this.#ready) return;
    const { time, timeouts } = this.#ward;
    const nowMs = time.now();
    timeouts.ready.add(nowMs - this.#beganMs);
    this.#ready = true;
    this.#deeds = undefined;
    this.#cancelOpening();
    this.#released();
    this.#on.onReady();
    if (this.#ends.length > 0 && !this.#over) {
      this.#ends.fill(nowMs);
      this.#awaitFinal();
    }
  }

  #text(text: HearingText): void {
    this.#becomeReady();
    const { time, timeouts, breaker, counts } = this.#ward;
    const nowMs = time.now();
    if (this.#owedMs !== undefined && this.#ends.length === 0) timeouts.text.add(nowMs - this.#owedMs);
    this.#owedMs = undefined;
    if (text.isFinal) {
      const endMs = this.#ends.shift();
      if (endMs !== undefined) timeouts.final.add(nowMs - endMs);
      counts.finals += 1;
      breaker.succeeded(this.#pass);
      this.#awaitFinal();
    }
    this.#on.onText(text);
  }

  /** The utterance's sound is over, unless it was. */
  #ended(): void {
    if (this.#endedUtterances === this.#utterances) return;
    this.#endedUtterances = this.#utterances;
    this.#ends.push(this.#ward.time.now());
    this.#owedMs = undefined;
    if (this.#ends.length === 1) this.#awaitFinal();
  }

  #owe(): void {
    const { time, timeouts, writesAsOneSpeaks } = this.#ward;
    this.#owedMs = time.now();
    // A backend that writes only at the end, or has not shown yet when it writes, owes nothing now.
    if (!writesAsOneSpeaks || !timeouts.text.isMeasured || timeouts.text.isBeyond) return;
    this.#watchText(this.#owedMs, timeouts.text.ms);
  }

  /**
   * One timer looks after all texts of the hearing: what is told before it fires costs no other.
   */
  #watchText(owedMs: number, waitMs: number): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const { time } = this.#ward;
    this.#cancelText = time.at(owedMs + waitMs, () => {
      this.#isWatching = false;
      if (this.#owedMs === undefined) return;
      if (time.now() >= this.#owedMs + waitMs) this.#timedOut('text', waitMs);
      else this.#watchText(this.#owedMs, waitMs);
    });
  }

  #awaitFinal(): void {
    this.#cancelFinal();
    const [endMs] = this.#ends;
    if (endMs === undefined || !this.#ready || this.#over) return;
    const { time, timeouts } = this.#ward;
    const waitMs = timeouts.final.ms;
    const { deadlineMs } = this.#input;
    const ownMs = deadlineMs === undefined || deadlineMs >= waitMs ? undefined : deadlineMs;
    this.#cancelFinal = time.at(endMs + (ownMs ?? waitMs), () =>
      ownMs === undefined ? this.#timedOut('final', waitMs) : this.#missed(ownMs),
    );
  }

  #timedOut(what: keyof TimeoutOptions, waitedMs: number): void {
    const { name, timeouts, counts } = this.#ward;
    timeouts[what].gaveUp(waitedMs);
    counts.timedOut += 1;
    this.#fail({ class: 'fault', message: `${name} ${silences[what]} for ${(waitedMs / 1000).toFixed(1)} s` });
  }

  /** The session waits no longer, which says nothing of the backend. */
  #missed(deadlineMs: number): void {
    if (!this.#end()) return;
    this.#ward.breaker.left(this.#pass);
    const message = `${this.#ward.name} gave no final within the ${(deadlineMs / 1000).toFixed(1)} s that were left`;
    this.#on.onError({ class: 'fault', message });
  }

  #failed(error: BackendError): void {
    if (this.#ready || error.class !== 'fault' || !this.#mayRetry()) {
      this.#fail(error);
      return;
    }
    const { time, random, retry, breaker, counts } = this.#ward;
    this.#inner = undefined;
    counts.failed.fault += 1;
    breaker.failed(this.#pass, error);
    const waitMs = random() * Math.min(retry.mostMs, retry.firstMs * 2 ** (this.#tries - 1));
    const cancel = time.at(time.now() + waitMs, () => this.#again(error));
    const cancelOpening = this.#cancelOpening;
    this.#cancelOpening = () => {
      cancel();
      cancelOpening();
    };
  }

  #mayRetry(): boolean {
    const { retry, retryBudget } = this.#ward;
    if (this.#pass.isTrial || this.#deeds === undefined || this.#tries > retry.most) return false;
    this.#retrying ||= retryBudget.take();
    return this.#retrying;
  }

  #again(before: BackendError): void {
    const { breaker, counts } = this.#ward;
    const pass = breaker.admit();
    if (!pass) {
      this.#end();
      this.#on.onError(before);
      return;
    }
    this.#pass = pass;
    counts.retried += 1;
    this.#try();
  }

  #fail(error: BackendError): void {
    if (!this.#end()) return;
    const { breaker, counts } = this.#ward;
    counts.failed[error.class] += 1;
    breaker.failed(this.#pass, error);
    this.#on.onError(error);
  }

  /** False where it was over. */
  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#cancelOpening();
    this.#cancelText();
    this.#cancelFinal();
    this.#released();
    this.#deeds = undefined;
    this.#inner?.close();
    this.#ward.ended(this);
    return true;
  }

  #released(): void {
    if (this.#retrying) this.#ward.retryBudget.release();
    this.#retrying = false;
  }
}

const nothing = (): void => {};
/** What a word of the session takes in memory, about. */
const deedBytes = 100;
/** Eight seconds of 16-bit sound at 16 kHz. */
const mostDeedBytes = 256_000;

const silences = {
  ready: 'took no session',
  text: 'wrote nothing of what was said',
  final: 'gave no final',
} as const satisfies Record<keyof TimeoutOptions, string>;
