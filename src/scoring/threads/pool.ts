import { availableParallelism } from 'node:os';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { workerUrl } from '../../threads/worker-url.ts';
import { buildGraph } from '../align/graph.ts';
import { joinPipeline, type OpenUtterance } from '../pipeline.ts';
import { calibratorOf } from '../utterance-scorer.ts';
import { ScoringThread } from './thread.ts';

/** Scoring on threads of its own, for servers: the thread that owns the sockets has enough to do. */
export type ScoringThreads = {
  openUtterance: OpenUtterance;
  stats(): ScoringStats;
  /** Lets the threads collect their garbage while nobody reads. */
  tidy(): void;
  close(): Promise<void>;
};

/** Of the last 10 s or so. */
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

/** Errors: `not_built`, `bad_model`. An utterance whose thread dies fails with `scoring_crashed`. */
export function createScoringThreads(options: ScoringThreadsOptions): ScoringThreads {
  const { model, onCrash = () => {}, workerScript = workerUrl(import.meta.url, 'worker.js') } = options;
  let closing = false;
  const count = options.threads ?? Math.max(1, Math.min(mostThreads, availableParallelism() - 2));
  // What does not fit is found here, once, and not by each thread.
  calibratorOf(model);
  const launch = (at: number): ScoringThread => {
    const startedMs = performance.now();
    return new ScoringThread(workerScript, model, (error) => {
      onCrash(error);
      // One that cannot live is not started over and over.
      const delayMs = performance.now() - startedMs > shortLifeMs ? 0 : shortLifeMs;
      setTimeout(relaunch, delayMs, at).unref();
    });
  };
  const relaunch = (at: number): void => {
    if (!closing) threads[at] = launch(at);
  };
  const threads = Array.from({ length: count }, (_, at) => launch(at));
  return {
    openUtterance(engine, reference, settings, events) {
      // A reference that the model cannot read is refused at once, and not by a message from elsewhere.
      buildGraph(reference, model);
      const thread = threads.reduce((least, other) => (other.size < least.size ? other : least));
      return joinPipeline(engine, events, thread.open(reference, settings, events));
    },
    stats: () => {
      const all = threads.map((thread) => thread.stats());
      const largest = (key: keyof ScoringStats) => Math.max(...all.map((stats) => stats[key]));
      return { waitP95Ms: largest('waitP95Ms'), busy: largest('busy') };
    },
    tidy() {
      for (const thread of threads) thread.tidy();
    },
    async close() {
      closing = true;
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

const mostThreads = 4;
const shortLifeMs = 1000;
