import type { BackendError, Hearing, HearingEvents, HearingInput } from '../../../src/backends/backend.ts';
import type { Hindrance } from '../../../src/routing/decide/decide.ts';
import type { ManagedBackend } from '../../../src/server/hearing/managed-backend.ts';

/** A hearing that says what a test tells it to. */
export class ManualHearing implements Hearing {
  readonly input: HearingInput;
  readonly #on: HearingEvents;
  /** What it was told, in order: milliseconds of sound, `over`, `next`, `close`. */
  readonly told: (number | string)[] = [];
  /** Where each piece of its sound began. */
  readonly startsMs: number[] = [];
  isClosed = false;

  constructor(input: HearingInput, on: HearingEvents) {
    this.input = input;
    this.#on = on;
  }

  /** Sound that it was given, ms. */
  get heardMs(): number {
    return this.told.reduce<number>((sum, one) => (typeof one === 'number' ? sum + one : sum), 0);
  }

  push(pcm: Int16Array | Float32Array, startMs: number): void {
    this.startsMs.push(startMs);
    this.told.push((pcm.length / this.input.sampleRateHz) * 1000);
  }

  utteranceOver(): void {
    if (this.told.at(-1) !== 'over') this.told.push('over');
  }

  next(): void {
    this.told.push('next');
  }

  close(): void {
    if (!this.isClosed) this.told.push('close');
    this.isClosed = true;
  }

  /**
   * Writes an utterance so far; `settled` of its words will not change. With `eachMs` each word has
   * a time, one behind the other.
   */
  say(text: string, { utterance = 0, isFinal = false, settled = 0, coversMs = this.heardMs, eachMs = 0 } = {}): void {
    const all = text.split(' ');
    const words = all.slice(0, settled).join(' ');
    const timed = all.map((word, at) => ({
      text: word,
      endMs: (at + 1) * eachMs,
      isFinal: isFinal || at < settled,
    }));
    const times = eachMs > 0 && { words: timed };
    this.#on.onText({ utterance, text, settled: isFinal ? text.length : words.length, isFinal, coversMs, ...times });
  }

  fail(error: Partial<BackendError> = {}): void {
    this.isClosed = true;
    this.#on.onError({ class: 'fault', message: 'it broke', ...error });
  }
}

/** A backend with guards whose hearings a test plays. */
export class ManualBackend implements ManagedBackend {
  readonly kind = 'deepgram';
  readonly name: string;
  readonly hearings: ManualHearing[] = [];
  why: Hindrance | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get last(): ManualHearing {
    return this.hearings.at(-1)!;
  }

  hindrance(): { why: Hindrance; message: string } | undefined {
    return this.why && { why: this.why, message: `${this.name} is ${this.why}` };
  }

  status() {
    return { breaker: { state: 'closed' as const }, spent: 0, most: undefined };
  }

  open(input: HearingInput, on: HearingEvents): Hearing {
    const hearing = new ManualHearing(input, on);
    this.hearings.push(hearing);
    return hearing;
  }

  async close(): Promise<void> {}
}
