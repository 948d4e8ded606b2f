import { availableParallelism } from 'node:os';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { workerUrl } from '../../threads/worker-url.ts';
import { checkReadable } from '../align/graph.ts';
import { joinPipeline, type OpenUtterance } from '../pipeline.ts';
import type { Reference } from '../text/reference.ts';
import { calibratorOf } from '../utterance-scorer.ts';
import { ScoringThread } from './thread.ts';

/** Figures of the last 10 s or so. */
export type ScoringStats = {
  /** Frames from the model to the feedback made of them, ms. */
  waitP95Ms: number;
  /** Share of wall time that the busiest thread worked, 0-1. */
  busy: number;
};

export type ScoringThreadsOptions = {
  model: ModelPackage;
  /** Default: a core for the sockets and one for the model are left, at most 4. */
  threads?: number;
  /** Stands in for the compiled worker in tests. */
  workerScript?: URL;
  /** A thread died; its utterances failed, and another has taken its place. */
  onCrash?: (error: Error) => void;
};

/**
 * Scoring on threads of its own, for servers: the thread that owns the sockets has enough to do.
 */
/**
 * Errors: `not_built`, `bad_model`. An utterance whose thread dies fails with `scoring_crashed`.
 */
export class ScoringThreads {
  readonly #options: ScoringThreadsOptions;
  readonly #script: URL;
  readonly #threads: ScoringThread[];
  #closing = false;

  constructor(options: ScoringThreadsOptions) {
    const { model, threads, workerScript = workerUrl(import.meta.url, 'worker.js') } = options;
    this.#options = options;
    this.#script = workerScript;
    // A model that does not fit is found here, once, and not by each thread.
    calibratorOf(model);
    const count = threads ?? Math.max(1, Math.min(mostThreads, availableParallelism() - 2));
    this.#threads = Array.from({ length: count }, (_, at) => this.#launch(at));
  }

  /**
   * The reference, when the model can read it.
   *
   * @throws SpeechfbError `invalid_reference` when the model does not know one of its phones.
   */
  checked(reference: Reference): Reference {
    checkReadable(reference, this.#options.model);
    return reference;
  }

  /** Opens an utterance on the thread that has fewest. */
  readonly openUtterance: OpenUtterance = (engine, reference, settings, events) => {
    // A reference that the model cannot read is refused at once, and not by a message from
    // elsewhere.
    checkReadable(reference, this.#options.model);
    const thread = this.#threads.reduce((least, other) => (other.size < least.size ? other : least));
    return joinPipeline(engine, events, thread.open(reference, settings, events));
  };

  stats(): ScoringStats {
    const all = this.#threads.map((thread) => thread.stats());
    const largest = (key: keyof ScoringStats) => Math.max(...all.map((stats) => stats[key]));
    return { waitP95Ms: largest('waitP95Ms'), busy: largest('busy') };
  }

  /** Lets the threads collect their garbage while no session runs. */
  tidy(): void {
    for (const thread of this.#threads) thread.tidy();
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #launch(at: number): ScoringThread {
    const startedMs = performance.now();
    return new ScoringThread(this.#script, this.#options.model, (error) => {
      this.#options.onCrash?.(error);
      // A thread that cannot live is not started over and over.
      const delayMs = performance.now() - startedMs > shortLifeMs ? 0 : shortLifeMs;
      setTimeout(() => this.#relaunch(at), delayMs).unref();
    });
  }

  #relaunch(at: number): void {
    if (!this.#closing) this.#threads[at] = this.#launch(at);
  }
}

const mostThreads = 4;
const shortLifeMs = 1000;
