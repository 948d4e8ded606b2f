import type { Objective } from '../slo/expression.ts';
import type { DistributionName } from '../slo/metrics.ts';
import { SessionScore, type UtteranceScore } from './session-score.ts';
import type { Slice } from './slice.ts';

/** Where the samples of one session go: into its slice and against the objectives, unless they were due in the warm-up. */
export class SampleSink {
  readonly #slice: Slice;
  readonly #score: SessionScore;
  readonly #fromMs: number;

  /** `fromMs`: what was due before is counted apart. */
  constructor(slice: Slice, objectives: readonly Objective[], fromMs: number) {
    this.#slice = slice;
    this.#score = new SessionScore(objectives, slice.labels);
    this.#fromMs = fromMs;
  }

  utterance(): UtteranceScore {
    return this.#score.utterance();
  }

  /** A latency from `dueMs` to `receivedMs`, both on the clock, Infinity: it never came. Whether it was measured. */
  record(name: DistributionName, dueMs: number, receivedMs: number, utterance?: UtteranceScore, live = true): boolean {
    if (dueMs < this.#fromMs) {
      this.#slice.tally.warmup_samples += 1;
      return false;
    }
    const ms = Math.max(0, receivedMs - dueMs);
    this.#slice.record(name, ms, live);
    this.#score.latency(name, ms, utterance);
    if (name === 'feedback_latency') this.#score.events('availability', Number.isFinite(ms) ? 0 : 1, 1, utterance);
    return true;
  }

  /** What was due at `dueMs` never came. */
  never(name: DistributionName, dueMs: number, utterance?: UtteranceScore): void {
    this.record(name, dueMs, Number.POSITIVE_INFINITY, utterance);
  }

  /** Sound that feedback was due for, ms, and whether any came. */
  sound(dueMs: number, lengthMs: number, served: boolean): void {
    if (dueMs < this.#fromMs) return;
    this.#slice.tally.sound_due_ms += lengthMs;
    if (served) this.#slice.tally.sound_served_ms += lengthMs;
  }

  /** Phones of one utterance of which a score was shown, and those whose score was revised. */
  phones(dueMs: number, revised: number, shown: number, utterance: UtteranceScore): void {
    if (dueMs < this.#fromMs) return;
    this.#slice.tally.phones_shown += shown;
    this.#slice.tally.phones_revised += revised;
    this.#score.events('revision_rate', revised, shown, utterance);
  }

  /** Words of one utterance that partial transcripts showed, and those that changed or went away. */
  words(dueMs: number, changed: number, shown: number, utterance: UtteranceScore): void {
    if (dueMs < this.#fromMs) return;
    this.#slice.tally.words_shown += shown;
    this.#slice.tally.words_changed += changed;
    this.#score.events('flicker_rate', changed, shown, utterance);
  }

  /** An event came that broke so many rules of the protocol; that is told in the warm-up as well. */
  checked(violations: number, utterance?: UtteranceScore): void {
    this.#slice.tally.events += 1;
    this.#slice.tally.violations += violations;
    this.#score.events('violations', violations, 1, utterance);
  }

  /** An utterance that began to be spoken at `dueMs` is over. */
  utteranceOver(dueMs: number, good: boolean): void {
    if (dueMs < this.#fromMs) return;
    this.#slice.tally.utterances_due += 1;
    if (good) this.#slice.tally.utterances_good += 1;
    this.#score.events('goodput', good ? 0 : 1, 1);
  }

  /** The session is over; no more samples come. */
  close(): void {
    this.#score.close(this.#slice.clusters);
  }
}
