import type { Labels } from '../../metrics/definitions.ts';
import type { Recorder } from '../../metrics/recorder.ts';
import type { Slice } from '../../metrics/slice.ts';
import type { LoadStage } from '../plan/learner-plan.ts';

/** The slices of one session: one for each stage of the load in which something of it is due; a plain load has but one. */
export class StageSlices {
  /** Of the session in every stage. */
  readonly labels: Labels;
  /** Of the stage in which the session begins: what is of no stage goes there. */
  readonly first: Slice;
  readonly #recorder: Recorder;
  readonly #stages: readonly LoadStage[];
  readonly #startMs: number;
  readonly #slices: Slice[] = [];
  /** The stage that was asked for last; times mostly go up, and slowly. */
  #last = 0;

  /** `startMs`: the plan's 0 on the clock. `beginMs`: when the session begins, on the clock. */
  constructor(
    recorder: Recorder,
    labels: Labels,
    load: { stages: readonly LoadStage[]; startMs: number; beginMs: number },
  ) {
    this.labels = labels;
    this.#recorder = recorder;
    this.#stages = load.stages.length > 1 ? load.stages : [];
    this.#startMs = load.startMs;
    this.first = this.#stages.length === 0 ? this.#slice(0) : this.at(load.beginMs);
  }

  /** Of the stage in which that moment on the clock lies; what comes after the last is of the last. */
  at(dueMs: number): Slice {
    const stages = this.#stages;
    if (stages.length === 0) return this.first;
    const atMs = dueMs - this.#startMs;
    while (this.#last > 0 && atMs < stages[this.#last]!.beginMs) this.#last--;
    while (this.#last < stages.length - 1 && atMs >= stages[this.#last]!.endMs) this.#last++;
    return this.#slice(this.#last);
  }

  /** Of the stage with that name; the first for undefined. */
  of(name: string | undefined): Slice {
    const index = this.#stages.findIndex((stage) => stage.name.toLowerCase() === name?.toLowerCase());
    return index < 0 ? this.first : this.#slice(index);
  }

  #slice(index: number): Slice {
    const stage = this.#stages[index]?.name;
    this.#slices[index] ??= this.#recorder.slice(stage === undefined ? this.labels : { ...this.labels, stage });
    return this.#slices[index];
  }
}
