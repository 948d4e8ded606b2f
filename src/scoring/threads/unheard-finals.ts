import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import type { Reference } from '../text/reference.ts';
import { unheardResult } from '../unheard.ts';
import { calibratorOf, type TimedResult } from '../utterance-scorer.ts';
import { FairQueue } from './fair-queue.ts';

/**
 * Makes the finals of utterances that nobody read, on the sockets' thread, where they are sent
 * from: one speaker's after the other's, and only for a moment between two looks at the sockets.
 */
export class UnheardFinals {
  readonly #model: ModelPackage;
  readonly #queue = new FairQueue({ turnMs: 1, now: () => performance.now() });
  /** The same for all readers of a text, as long as it is known. */
  readonly #made = new WeakMap<Reference, TimedResult>();
  #isScheduled = false;

  constructor(model: ModelPackage) {
    this.#model = model;
  }

  /** Never resolves when it is not wanted any more by the time that its turn comes. */
  finalOf(reference: Reference, speaker: string, isWanted: () => boolean): Promise<TimedResult> {
    return new Promise((resolve) => {
      this.#queue.add(speaker, {
        step: () => {
          if (isWanted()) resolve(this.#make(reference));
          return false;
        },
      });
      this.#schedule();
    });
  }

  #make(reference: Reference): TimedResult {
    const known = this.#made.get(reference);
    if (known) return known;
    const made = unheardResult(reference, calibratorOf(this.#model));
    this.#made.set(reference, made);
    return made;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#queue.run(0);
      if (!this.#queue.isEmpty) this.#schedule();
    });
  }
}
