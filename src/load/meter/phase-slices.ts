import type { Labels } from '../../metrics/definitions.ts';
import type { Recorder } from '../../metrics/recorder.ts';
import type { Slice } from '../../metrics/slice.ts';
import type { LoadPhase } from '../plan/learner-plan.ts';

/**
 * The slices of one session: one for each phase of the load in which something of it is due; a
 * plain load has but one.
 */
export class PhaseSlices {
  /** Labels that the session has in every phase. */
  readonly labels: Labels;
  /**
   * Slice of the load phase in which the session began; also takes samples that belong to no phase.
   */
  readonly first: Slice;
  readonly #recorder: Recorder;
  readonly #phases: readonly LoadPhase[];
  readonly #startMs: number;
  readonly #slices: Slice[] = [];
  /** The phase that was asked for last; times mostly go up, and slowly. */
  #last = 0;

  /** `startMs`: the plan's 0 on the clock. `beginMs`: when the session begins, on the clock. */
  constructor(
    recorder: Recorder,
    labels: Labels,
    load: { phases: readonly LoadPhase[]; startMs: number; beginMs: number },
  ) {
    this.labels = labels;
    this.#recorder = recorder;
    this.#phases = load.phases.length > 1 ? load.phases : [];
    this.#startMs = load.startMs;
    this.first = this.#phases.length === 0 ? this.#slice(0) : this.at(load.beginMs);
  }

  /**
   * The slice of the phase in which that moment on the clock lies; the last phase also takes what
   * comes after it.
   */
  at(dueMs: number): Slice {
    const phases = this.#phases;
    if (phases.length === 0) return this.first;
    const atMs = dueMs - this.#startMs;
    while (this.#last > 0 && atMs < phases[this.#last]!.beginMs) this.#last--;
    while (this.#last < phases.length - 1 && atMs >= phases[this.#last]!.endMs) this.#last++;
    return this.#slice(this.#last);
  }

  /** The slice of the phase with that name; the first for undefined. */
  of(name: string | undefined): Slice {
    const index = this.#phases.findIndex((phase) => phase.name.toLowerCase() === name?.toLowerCase());
    return index < 0 ? this.first : this.#slice(index);
  }

  #slice(index: number): Slice {
    const phase = this.#phases[index]?.name;
    this.#slices[index] ??= this.#recorder.slice(phase === undefined ? this.labels : { ...this.labels, phase });
    return this.#slices[index];
  }
}
