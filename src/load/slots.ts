/**
 * When feedback was due, and when it came. The audio of a session is cut into slots of `slotMs`; the feedback of a slot
 * is the first event that covers its end. A slot's latency counts from when the first sample of its last frame was due
 * to be spoken, so neither a late sender nor a server that says less often can hide.
 */
export class FeedbackSlots {
  readonly #slotMs: number;
  readonly #frameMs: number;
  readonly #spans: Span[] = [];
  /** Everything up to here on the session's sample clock has been covered, ms. */
  #coveredMs = 0;
  /** The first span that may still have uncovered slots. */
  #open = 0;

  constructor(slotMs: number, frameMs: number) {
    this.#slotMs = slotMs;
    this.#frameMs = frameMs;
  }

  /** An utterance of `lengthMs` whose first sample is due at `dueMs`; it follows the ones before on the sample clock. */
  add(dueMs: number, lengthMs: number): void {
    const last = this.#spans.at(-1);
    this.#spans.push({ startMs: last ? last.startMs + last.lengthMs : 0, lengthMs, dueMs, slots: 0 });
  }

  /** An event that covers `audioMs` of the session's audio came: calls back each slot that it is the first to cover. */
  cover(audioMs: number, receivedMs: number, onSlot: (latencyMs: number, endMs: number) => void): void {
    if (audioMs <= this.#coveredMs) return;
    this.#coveredMs = audioMs;
    for (; this.#open < this.#spans.length; this.#open++) {
      const span = this.#spans[this.#open]!;
      for (; span.slots < this.#count(span); span.slots++) {
        const inSpanMs = (span.slots + 1) * this.#slotMs;
        if (span.startMs + inSpanMs > audioMs + 1e-6) return;
        onSlot(receivedMs - (span.dueMs + inSpanMs - this.#frameMs), span.startMs + inSpanMs);
      }
    }
  }

  /** Calls back each slot whose sound was over by `untilMs` and that nothing has covered. */
  missing(untilMs: number, onSlot: (dueMs: number) => void): void {
    for (const span of this.#spans.slice(this.#open)) {
      const over = Math.floor((untilMs - span.dueMs) / this.#slotMs + 1e-9);
      for (let slot = span.slots; slot < Math.min(this.#count(span), over); slot++) {
        onSlot(span.dueMs + (slot + 1) * this.#slotMs - this.#frameMs);
      }
    }
  }

  /** When the sound at `audioMs` of the session's sample clock was due to be spoken. */
  dueMs(audioMs: number): number | undefined {
    const span = this.#spans.find(({ startMs, lengthMs }) => audioMs <= startMs + lengthMs + 1e-6);
    return span && span.dueMs + (audioMs - span.startMs);
  }

  #count(span: Span): number {
    return Math.floor(span.lengthMs / this.#slotMs + 1e-9);
  }
}

/** `slots`: how many of its slots have been covered. */
type Span = { startMs: number; lengthMs: number; dueMs: number; slots: number };
