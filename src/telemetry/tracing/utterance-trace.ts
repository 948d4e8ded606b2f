import type { StageTimings } from '../../protocol/stages.ts';
import type { TracedFeedback } from './tracing.ts';

/** Why an utterance's trace is kept. */
type KeptFor = 'share' | 'slow' | 'failed' | 'handed';

/** A span of an utterance, ms on the server's clock. */
export type StageSpan = { name: keyof StageTimings; startMs: number; endMs: number };

/**
 * What one utterance was like: of one that is kept by its share a uniform sample of its feedback,
 * of every other only the slowest, which costs next to nothing.
 */
export class UtteranceRecord {
  readonly startMs: number;
  readonly #slowMs: number;
  readonly #isShared: boolean;
  readonly #random: () => number;
  readonly #sample: TracedFeedback[] = [];
  #slowest: TracedFeedback | undefined;
  #slowestMs = Number.NEGATIVE_INFINITY;
  #count = 0;
  #hasPhones = false;
  #endedMs: number | undefined;
  #reason = 'none';
  #isHanded = false;

  /** @param random uniform in [0, 1) */
  constructor(startMs: number, { slowMs, isShared, random }: { slowMs: number; isShared: boolean; random(): number }) {
    this.startMs = startMs;
    this.#slowMs = slowMs;
    this.#isShared = isShared;
    this.#random = random;
  }

  /** Whether it is sure by now to be kept. */
  get isKept(): boolean {
    return this.#isShared || this.#slowestMs > this.#slowMs;
  }

  get reason(): string {
    return this.#reason;
  }

  /** Feedback that went out, kept or not. */
  get count(): number {
    return this.#count;
  }

  add(feedback: TracedFeedback): void {
    // A transcript goes out beside the phones that it was made with, and has their stages.
    if (feedback.type === 'transcript' && this.#hasPhones) return;
    if (feedback.type === 'phoneme_feedback') this.#hasPhones = true;
    this.#count += 1;
    const tookMs = feedback.writtenMs - soundMs(feedback);
    if (tookMs > this.#slowestMs) {
      this.#slowestMs = tookMs;
      this.#slowest = feedback;
    }
    if (!this.#isShared) return;
    if (this.#sample.length < mostFeedback) this.#sample.push(feedback);
    else {
      const place = Math.floor(this.#random() * this.#count);
      if (place < mostFeedback) this.#sample[place] = feedback;
    }
  }

  ended(reason: string, atMs: number): void {
    this.#reason = reason;
    this.#endedMs = atMs;
  }

  /** Somebody else scores it later, and goes on from its trace. */
  handed(): void {
    this.#isHanded = true;
  }

  /** Why it is to be kept now that it is over; undefined: it is not. */
  keptFor(overMs: number, failure: string | undefined): KeptFor | undefined {
    // What the share keeps is a uniform sample only if it counts as that whatever else it is.
    if (this.#isShared) return 'share';
    if (failure !== undefined) return 'failed';
    if (this.#isHanded) return 'handed';
    const finalMs = this.#endedMs === undefined ? 0 : overMs - this.#endedMs;
    return this.#slowestMs > this.#slowMs || finalMs > this.#slowMs ? 'slow' : undefined;
  }

  /** When its final was due; undefined: its client never ended it. */
  get endedMs(): number | undefined {
    return this.#endedMs;
  }

  /** The feedback that is kept, in order of time. */
  feedback(): readonly TracedFeedback[] {
    if (this.#isShared) return this.#sample.toSorted((a, b) => a.writtenMs - b.writtenMs);
    return this.#slowest ? [this.#slowest] : [];
  }
}

/** When the sound of a feedback was made, as far as the server can tell. */
export function soundMs({ arrivedMs, captureMs = 0, timing }: TracedFeedback): number {
  return arrivedMs - (timing.window ?? 0) - captureMs;
}

/**
 * The stages of a feedback one behind the other: up to the reading from the socket those of the
 * client, then the jitter buffer's; the others stand before the write, so that what nobody claims
 * is left between. Each is as long as it was: the queue's may begin before the last of the sound
 * came, since some of it waited there already.
 */
export function stageSpans(feedback: TracedFeedback): StageSpan[] {
  const { writtenMs, captureMs, timing } = feedback;
  const before: StageSpan[] = [];
  const after: StageSpan[] = [];
  let fromMs = soundMs(feedback);
  for (const [name, ms] of [
    ['capture', captureMs],
    ['window', timing.window],
    ['ingress', timing.ingress],
  ] as const) {
    if (ms === undefined) continue;
    before.push({ name, startMs: fromMs, endMs: fromMs + ms });
    fromMs += ms;
  }
  let toMs = writtenMs;
  for (const name of ['emit', 'scoring', 'asr', 'features', 'queue'] as const) {
    const ms = timing[name];
    if (ms === undefined) continue;
    after.unshift({ name, startMs: toMs - ms, endMs: toMs });
    toMs -= ms;
  }
  return [...before, ...after];
}

/** Twenty seconds of speech at the usual pace. */
const mostFeedback = 200;
