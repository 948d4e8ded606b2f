/**
 * One interval of feedback: the utterance it belongs to, and when the first sample of its last
 * frame was due to be spoken.
 */
export type FeedbackInterval = { utterance: number; dueMs: number };

/**
 * When feedback was due, and when it came. The audio of a session is cut into intervals of
 * `intervalMs`; the feedback of an interval is the first event that covers its end. An interval's
 * latency counts from when the first sample of its last frame was due to be spoken, so neither a
 * late sender nor a server that says less often can hide. No feedback is due for an interval whose
 * sound, or the sound just after it, was held back: a server cannot know that it is over.
 */
export class FeedbackIntervals {
  readonly #intervalMs: number;
  readonly #frameMs: number;
  readonly #spans: Span[] = [];
  /** Everything up to here on the session's sample clock has been covered, ms. */
  #coveredMs = 0;
  /** The first span that may still have uncovered intervals. */
  #open = 0;

  constructor(intervalMs: number, frameMs: number) {
    this.#intervalMs = intervalMs;
    this.#frameMs = frameMs;
  }

  /**
   * An utterance of `lengthMs` whose first sample is due at `dueMs`; it follows the ones before on
   * the sample clock. `heldBack` are the stretches of it that are never sent, ms from its
   * beginning.
   */
  add(dueMs: number, lengthMs: number, heldBack: Span['heldBack'] = []): void {
    const last = this.#spans.at(-1);
    this.#spans.push({ startMs: last ? last.startMs + last.lengthMs : 0, lengthMs, dueMs, covered: 0, heldBack });
  }

  /**
   * An event that covers `audioMs` of the session's audio came: calls back each interval that it is
   * the first to cover.
   */
  cover(
    audioMs: number,
    receivedMs: number,
    onInterval: (latencyMs: number, endMs: number, interval: FeedbackInterval) => void,
  ): void {
    if (audioMs <= this.#coveredMs) return;
    this.#coveredMs = audioMs;
    for (; this.#open < this.#spans.length; this.#open++) {
      const span = this.#spans[this.#open]!;
      for (; span.covered < this.#count(span); span.covered++) {
        const endMs = span.startMs + (span.covered + 1) * this.#intervalMs;
        if (endMs > audioMs + 1e-6) return;
        const interval = this.#interval(this.#open, span.covered);
        if (interval) onInterval(receivedMs - interval.dueMs, endMs, interval);
      }
    }
  }

  /**
   * Calls back each interval whose sound was over by `untilMs` and that nothing has covered; they
   * are covered then.
   */
  giveUp(untilMs: number, onInterval: (interval: FeedbackInterval) => void): void {
    for (; this.#open < this.#spans.length; this.#open++) {
      const span = this.#spans[this.#open]!;
      for (; span.covered < this.#count(span); span.covered++) {
        if (span.dueMs + (span.covered + 1) * this.#intervalMs > untilMs + 1e-6) return;
        const interval = this.#interval(this.#open, span.covered);
        if (interval) onInterval(interval);
      }
    }
  }

  /**
   * How many uncovered intervals were due from `fromMs` on and had their sound over by `untilMs`.
   */
  overdue(fromMs: number, untilMs: number): number {
    let count = 0;
    for (let index = this.#open; index < this.#spans.length; index++) {
      const span = this.#spans[index]!;
      const over = Math.min(this.#count(span), Math.floor((untilMs - span.dueMs) / this.#intervalMs + 1e-9));
      if (over <= 0) break;
      for (let place = span.covered; place < over; place++) {
        const interval = this.#interval(index, place);
        if (interval && interval.dueMs >= fromMs) count++;
      }
    }
    return count;
  }

  /** Where an utterance begins and ends on the session's sample clock, ms. */
  span(utterance: number): readonly [fromMs: number, toMs: number] {
    const { startMs, lengthMs } = this.#spans[utterance]!;
    return [startMs, startMs + lengthMs];
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
  #interval(utterance: number, place: number): FeedbackInterval | undefined {
    const span = this.#spans[utterance]!;
    const fromMs = place * this.#intervalMs;
    const knownMs = fromMs + 2 * this.#intervalMs;
    if (span.heldBack.some(([from, to]) => from < knownMs && to > fromMs)) return undefined;
    return { utterance, dueMs: span.dueMs + fromMs + this.#intervalMs - this.#frameMs };
  }

  #count(span: Span): number {
    return Math.floor(span.lengthMs / this.#intervalMs + 1e-9);
  }
}

/** `covered`: how many of its intervals have been covered. */
type Span = {
  startMs: number;
  lengthMs: number;
  dueMs: number;
  covered: number;
  heldBack: readonly (readonly [fromMs: number, toMs: number])[];
};
