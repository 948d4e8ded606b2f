import type { SliceDelta } from '../../metrics/live-slice.ts';
import type { Recorder } from '../../metrics/recorder.ts';
import type { LearnerPlan } from '../plan/learner-plan.ts';

/**
 * What one generator reports twice a second: only what is new, so that it is small and adds up with
 * others'.
 */
export type GeneratorProgress = {
  /** Time since the plan's 0. */
  elapsedMs: number;
  /** Sessions, since the last progress. */
  arrived: number;
  ended: number;
  /** Frames given to the network since the last progress, those of the warm-up too. */
  framesSent: number;
  slices: readonly SliceDelta[];
};

/** Remembers what it has reported. */
export class ProgressReported {
  readonly #recorder: Recorder;
  readonly #arrivalsMs: Float64Array;
  #arrived = 0;
  #ended = 0;
  #framesSent = 0;

  constructor(plans: readonly LearnerPlan[], recorder: Recorder) {
    this.#arrivalsMs = Float64Array.from(plans, ({ arrivalMs }) => arrivalMs).sort();
    this.#recorder = recorder;
  }

  sessionEnded(): void {
    this.#ended += 1;
  }

  /** `framesSent`: by all learners since the beginning. */
  take(elapsedMs: number, framesSent: number): GeneratorProgress {
    const before = this.#arrived;
    while (this.#arrivalsMs[this.#arrived]! <= elapsedMs) this.#arrived++;
    const ended = this.#ended;
    this.#ended = 0;
    const fresh = framesSent - this.#framesSent;
    this.#framesSent = framesSent;
    const slices = this.#recorder.slices.map((slice) => slice.look());
    return { elapsedMs, arrived: this.#arrived - before, ended, framesSent: fresh, slices };
  }
}
