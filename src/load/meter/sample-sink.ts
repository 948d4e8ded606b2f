import { type CountName, type DistributionName, metrics, type RateName } from '../../metrics/definitions.ts';
import type { Objective } from '../../slo/objective/expression.ts';
import type { PhaseSlices } from './phase-slices.ts';
import { SessionScore, type UtteranceScore } from './session-score.ts';

/**
 * Where the samples of one session go: into the slice of the phase in which they were due, and
 * against the objectives, unless that was in the warm-up.
 */
export class SampleSink {
  readonly #slices: PhaseSlices;
  readonly #score: SessionScore;
  readonly #fromMs: number;
  readonly #answers: DistributionName;

  /**
   * @param fromMs What was due before is counted apart.
   * @param answers The latency of what is owed at every moment: availability is about its arrivals.
   */
  constructor(
    slices: PhaseSlices,
    objectives: readonly Objective[],
    fromMs: number,
    answers: DistributionName = 'feedback_latency',
  ) {
    this.#slices = slices;
    this.#answers = answers;
    this.#score = new SessionScore(objectives, slices.labels, answers);
    this.#fromMs = fromMs;
  }

  /** The score of an utterance that begins at `dueMs`. */
  utterance(dueMs: number): UtteranceScore {
    return this.#score.utterance(this.#slices.at(dueMs).labels.phase);
  }

  /**
   * A latency from `dueMs` to `receivedMs`, both on the clock, Infinity: it never came. Whether it
   * was measured.
   */
  record(name: DistributionName, dueMs: number, receivedMs: number, utterance?: UtteranceScore, live = true): boolean {
    const slice = this.#slices.at(dueMs);
    if (dueMs < this.#fromMs) {
      slice.tally.warmup_samples += 1;
      return false;
    }
    const ms = Math.max(0, receivedMs - dueMs);
    const { phase } = slice.labels;
    slice.record(name, ms, live);
    this.#score.latency(name, ms, phase, utterance);
    if (name === this.#answers) this.#score.events('availability', Number.isFinite(ms) ? 0 : 1, 1, phase, utterance);
    return true;
  }

  /** Records that what was due at `dueMs` never came. */
  never(name: DistributionName, dueMs: number, utterance?: UtteranceScore): void {
    this.record(name, dueMs, Number.POSITIVE_INFINITY, utterance);
  }

  /** Sound that feedback was due for, ms, and whether any came. */
  sound(dueMs: number, lengthMs: number, served: boolean): void {
    if (dueMs < this.#fromMs) return;
    const { tally } = this.#slices.at(dueMs);
    tally.sound_due_ms += lengthMs;
    if (served) tally.sound_served_ms += lengthMs;
  }

  /** What a rate counts, and all of which it is a share, of one utterance that began at `dueMs`. */
  rated(name: RateName, dueMs: number, count: number, of: number, utterance: UtteranceScore): void {
    if (dueMs < this.#fromMs) return;
    const { tally, labels } = this.#slices.at(dueMs);
    const definition = metrics[name];
    tally[definition.counted] += count;
    tally[definition.of] += of;
    this.#score.events(name, count, of, labels.phase, utterance);
  }

  /**
   * An event came that broke so many rules of the protocol; that is counted in the warm-up as well.
   */
  checked(violations: number, utterance?: UtteranceScore): void {
    const { tally } = this.#slices.first;
    tally.events += 1;
    tally.violations += violations;
    this.#score.events('violations', violations, 1, undefined, utterance);
  }

  /** An utterance that began to be spoken at `dueMs` is over. */
  utteranceOver(dueMs: number, good: boolean): void {
    if (dueMs < this.#fromMs) return;
    const { tally, labels } = this.#slices.at(dueMs);
    tally.utterances_due += 1;
    if (good) tally.utterances_good += 1;
    this.#score.events('goodput', good ? 0 : 1, 1, labels.phase);
  }

  /** How many frames of the session were lost, resent or dropped, of those that it had. */
  frames(metric: CountName, count: number, of: number): void {
    this.#score.events(metric, count, of, undefined);
  }

  /** The session is over; no more samples come. */
  close(): void {
    this.#score.close((phase) => this.#slices.of(phase).clusters);
  }
}
