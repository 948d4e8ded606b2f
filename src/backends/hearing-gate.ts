import type { BackendError, HearingEvents, HearingText } from './backend.ts';

/**
 * What one hearing tells goes through it, so that every kind of backend keeps the order of events:
 * ready first and once, finals once and in turn, no text of an utterance behind its final, and
 * nothing behind an error or the end.
 */
export class HearingGate {
  readonly #on: HearingEvents;
  readonly #ended: () => void;
  #ready = false;
  #over = false;
  /** Utterances that had their final. */
  #finals = 0;

  /** `ended` is called once, before the last event. */
  constructor(on: HearingEvents, ended: () => void) {
    this.#on = on;
    this.#ended = ended;
  }

  get over(): boolean {
    return this.#over;
  }

  get finals(): number {
    return this.#finals;
  }

  ready(): void {
    if (this.#ready || this.#over) return;
    this.#ready = true;
    this.#on.onReady();
  }

  /** Whether it was told: a backend that repeats itself is not heard twice. */
  text(text: HearingText): boolean {
    if (this.#over || text.utterance < this.#finals) return false;
    this.ready();
    // A backend that has gone on without a final has no more to say of what lies behind it.
    while (!this.#over && this.#finals < text.utterance) this.#final(this.#finals);
    if (this.#over) return false;
    if (text.isFinal) this.#finals += 1;
    this.#on.onText(text);
    return true;
  }

  fail(error: BackendError): void {
    if (this.close()) this.#on.onError(error);
  }

  /** Fails within a call of who listens, who hears of it once that has returned. */
  failSoon(error: BackendError): void {
    queueMicrotask(() => this.fail(error));
  }

  /** Ends without an event; false where it was over. */
  close(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#ended();
    return true;
  }

  #final(utterance: number): void {
    this.#finals += 1;
    this.#on.onText({ utterance, text: '', settled: 0, isFinal: true });
  }
}
