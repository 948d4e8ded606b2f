/** One slot: the utterance it is of, and when the first sample of its last frame was due to be spoken. */
export type Slot = { utterance: number; dueMs: number };

/**
 * When feedback was due, and when it came. The audio of a session is cut into slots of `slotMs`; the feedback of a slot
 * is the first event that covers its end. A slot's latency counts from when the first sample of its last frame was due
 * to be spoken, so neither a late sender nor a server that says less often can hide. No feedback is due for a slot whose
 * sound, or the sound just after it, was held back: a server cannot know that it is over.
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

  /**
   * An utterance of `lengthMs` whose first sample is due at `dueMs`; it follows the ones before on the sample clock.
   * `heldBack` are the stretches of it that are never sent, ms from its beginning.
   */
  add(dueMs: number, lengthMs: number, heldBack: Span['heldBack'] = []): void {
    const last = this.#spans.at(-1);
    this.#spans.push({ startMs: last ? last.startMs + last.lengthMs : 0, lengthMs, dueMs, slots: 0, heldBack });
  }

  /** An event that covers `audioMs` of the session's audio came: calls back each slot that it is the first to cover. */
  cover(audioMs: number, receivedMs: number, onSlot: (latencyMs: number, endMs: number, slot: Slot) => void): void {
    if (audioMs <= this.#coveredMs) return;
    this.#coveredMs = audioMs;
    for (; this.#open < this.#spans.length; this.#open++) {
      const span = this.#spans[this.#open]!;
      for (; span.slots < this.#count(span); span.slots++) {
        const endMs = span.startMs + (span.slots + 1) * this.#slotMs;
        if (endMs > audioMs + 1e-6) return;
        const slot = this.#slot(this.#open, span.slots);
        if (slot) onSlot(receivedMs - slot.dueMs, endMs, slot);
      }
    }
  }

  /** Calls back each slot whose sound was over by `untilMs` and that nothing has covered; they are covered then. */
  giveUp(untilMs: number, onSlot: (slot: Slot) => void): void {
    for (; this.#open < this.#spans.length; this.#open++) {
      const span = this.#spans[this.#open]!;
      for (; span.slots < this.#count(span); span.slots++) {
        if (span.dueMs + (span.slots + 1) * this.#slotMs > untilMs + 1e-6) return;
        const slot = this.#slot(this.#open, span.slots);
        if (slot) onSlot(slot);
      }
    }
  }

  /** How many uncovered slots were due from `fromMs` on and had their sound over by `untilMs`. */
  overdue(fromMs: number, untilMs: number): number {
    let count = 0;
    for (let index = this.#open; index < this.#spans.length; index++) {
      const span = this.#spans[index]!;
      const over = Math.min(this.#count(span), Math.floor((untilMs - span.dueMs) / this.#slotMs + 1e-9));
      if (over <= 0) break;
      for (let place = span.slots; place < over; place++) {
        const slot = this.#slot(index, place);
        if (slot && slot.dueMs >= fromMs) count++;
      }
    }
    return count;
  }

  /** When the sound at `audioMs` of the session's sample clock was due to be spoken. */
  dueMs(audioMs: number): number | undefined {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const { startMs, lengthMs } = this.#spans[middle]!;
      if (audioMs <= startMs + lengthMs + 1e-6) high = middle;
      else low = middle + 1;
    }
    const span = this.#spans[low];
    return span && span.dueMs + (audioMs - span.startMs);
  }

  /** Undefined when no feedback is due for it. */
  #slot(utterance: number, place: number): Slot | undefined {
    const span = this.#spans[utterance]!;
    const fromMs = place * this.#slotMs;
    const knownMs = fromMs + 2 * this.#slotMs;
    if (span.heldBack.some(([from, to]) => from < knownMs && to > fromMs)) return undefined;
    return { utterance, dueMs: span.dueMs + fromMs + this.#slotMs - this.#frameMs };
  }

  #count(span: Span): number {
    return Math.floor(span.lengthMs / this.#slotMs + 1e-9);
  }
}

/** `slots`: how many of its slots have been covered. */
type Span = {
  startMs: number;
  lengthMs: number;
  dueMs: number;
  slots: number;
  heldBack: readonly (readonly [fromMs: number, toMs: number])[];
};
