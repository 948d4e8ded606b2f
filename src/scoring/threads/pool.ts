import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { Exchange } from '../../threads/exchange.ts';
import { workerUrl } from '../../threads/worker-url.ts';
import { threadsFor } from '../../usable-cores.ts';
import { checkReadable } from '../align/graph.ts';
import { JoinedPipeline, type OpenUtterance } from '../pipeline.ts';
import type { Reference, ReferenceSource } from '../text/reference.ts';
import { calibratorOf } from '../utterance-scorer.ts';
import { HungThreads } from './hung-threads.ts';
import { KnownTexts } from './known-texts.ts';
import { ScoringThread } from './thread.ts';
import { UnheardFinals } from './unheard-finals.ts';

/** Figures of the last 10 s or so. */
export type ScoringStats = {
  /** Frames from the model to the feedback made of them, ms. */
  waitP95Ms: number;
  /** Share of wall time that the busiest thread worked, 0-1. */
  busy: number;
  /** How long a thread that has something to do has said nothing, ms. */
  silentMs: number;
};

export type ScoringThreadsOptions = {
  model: ModelPackage;
  /** Default: a core for the sockets and one for the model are left, at most 4. */
  threads?: number;
  /** Its rounds carry the mail; absent: one of their own. */
  exchange?: Exchange;
  /** Stands in for the compiled worker in tests. */
  workerScript?: URL;
  /**
   * A thread that has said nothing for this long while it had something to do is ended, and
   * another takes its place, ms. Default 15 s.
   */
  hungMs?: number;
  /** A thread died; its utterances failed, and another has taken its place. */
  onCrash?: (error: Error) => void;
};

/**
 * Scoring on threads of its own, for servers: the thread that owns the sockets has enough to do.
 * Errors: `not_built`, `bad_model`. An utterance whose thread dies fails with `scoring_crashed`.
 */
export class ScoringThreads {
  readonly #options: ScoringThreadsOptions;
  readonly #script: URL;
  readonly #exchange: Exchange;
  readonly #threads: ScoringThread[];
  readonly #texts = new KnownTexts();
  readonly #unheard: UnheardFinals;
  readonly #watch: NodeJS.Timeout;
  #closing = false;

  constructor(options: ScoringThreadsOptions) {
    const { model, threads, workerScript = workerUrl(import.meta.url, 'worker.js') } = options;
    this.#options = options;
    this.#script = workerScript;
    this.#exchange = options.exchange ?? new Exchange();
    // A model that does not fit is found here, once, and not by each thread.
    calibratorOf(model);
    this.#unheard = new UnheardFinals(model);
    const count = threads ?? Math.max(1, Math.min(mostThreads, threadsFor() - 2));
    this.#threads = Array.from({ length: count }, (_, at) => this.#launch(at));
    const hung = new HungThreads(this.#threads, options.hungMs ?? hungMs);
    this.#watch = setInterval(() => hung.look(performance.now()), lookEveryMs).unref();
  }

  /**
   * Finds the pronunciations of a text that the model can read.
   *
   * @throws SpeechfbError `invalid_reference`, as `resolveReference` does; when the model does not
   *   know one of the phones.
   */
  readReference(source: ReferenceSource, mostPhones: number): Reference {
    return this.#texts.read(source, mostPhones, (reference) => checkReadable(reference, this.#options.model));
  }

  /**
   * Opens an utterance on the thread that has another of its speaker, or else fewest: with its
   * first sound, so that a text that nobody reads costs nothing there.
   */
  readonly openUtterance: OpenUtterance = (engine, reference, settings, events) => {
    // A reference that the model cannot read is refused at once, and not by a message from
    // elsewhere.
    checkReadable(reference, this.#options.model);
    return new JoinedPipeline(engine, events, {
      canWait: settings.canWait,
      open: (canWait) => this.#threadFor(settings.speaker).open(reference, { ...settings, canWait }, events),
      unheard: (isWanted) => this.#unheard.finalOf(reference, settings.speaker ?? '', isWanted),
    });
  };

  stats(): ScoringStats {
    const nowMs = performance.now();
    const all = this.#threads.map((thread) => ({ ...thread.stats(), silentMs: thread.silentMs(nowMs) }));
    const largest = (key: keyof ScoringStats) => Math.max(...all.map((stats) => stats[key]));
    return { waitP95Ms: largest('waitP95Ms'), busy: largest('busy'), silentMs: largest('silentMs') };
  }

  /** Lets the threads collect their garbage while no session runs. */
  tidy(): void {
    for (const thread of this.#threads) thread.tidy();
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#watch);
    await Promise.all(this.#threads.map((thread) => thread.close()));
    if (!this.#options.exchange) this.#exchange.close();
  }

  #threadFor(speaker: string | undefined): ScoringThread {
    const own = speaker === undefined ? undefined : this.#threads.find((thread) => thread.has(speaker));
    return own ?? this.#threads.reduce((least, other) => (other.size < least.size ? other : least));
  }

  #launch(at: number): ScoringThread {
    const startedMs = performance.now();
    return new ScoringThread(this.#script, this.#options.model, this.#exchange, (error) => {
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

const hungMs = 15_000;
const lookEveryMs = 1000;
const mostThreads = 4;
const shortLifeMs = 1000;
