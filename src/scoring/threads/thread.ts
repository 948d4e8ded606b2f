import { Worker } from 'node:worker_threads';
import { StatsRecorder } from '../../acoustic/engine/engine-stats.ts';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { ResultsGatherer } from '../../acoustic/worker/worker-messages.ts';
import type { SpeechfbError } from '../../errors.ts';
import { fromPlainError } from '../../threads/plain-error.ts';
import { sharedNowMs } from '../../threads/shared-clock.ts';
import { threadDied } from '../../threads/thread-died.ts';
import type { PipelineEvents, ScoringBackend } from '../pipeline.ts';
import type { Reference } from '../text/reference.ts';
import type { ScorerOptions, TimedResult } from '../utterance-scorer.ts';
import type { FromScoring, ScoringStart, ScoringUpdates, ToScoring } from './messages.ts';

type OpenUtteranceState = {
  events: PipelineEvents;
  settle: { resolve(result: TimedResult): void; reject(error: Error): void } | undefined;
};

/**
 * One scoring thread as the sockets' thread sees it. What is said to it within one turn of the
 * event loop is one message.
 */
export class ScoringThread {
  readonly #worker: Worker;
  readonly #utterances = new Map<number, OpenUtteranceState>();
  readonly #frames = new ResultsGatherer();
  readonly #stats = new StatsRecorder(performance.now());
  #pending = nothing();
  #isScheduled = false;
  #isOver = false;
  #nextId = 0;

  /** `onDeath` comes once, unless the thread was closed; its utterances have failed by then. */
  constructor(script: URL, model: ModelPackage, onDeath: (error: Error) => void) {
    this.#worker = new Worker(script, { workerData: { model } satisfies ScoringStart });
    this.#worker.on('message', (message: FromScoring) => this.#receive(message));
    // The sockets keep the process alive.
    this.#worker.unref();
    let failure: unknown;
    this.#worker.on('error', (error) => {
      failure = error;
    });
    this.#worker.on('exit', (code) => {
      if (this.#isOver) return;
      this.#isOver = true;
      const error = scoringCrashed(failure ?? `it ended with code ${code}`);
      for (const id of [...this.#utterances.keys()]) this.#fail(id, error);
      onDeath(error);
    });
  }

  /** Utterances that it has; Infinity when it is dead. */
  get size(): number {
    return this.#isOver ? Number.POSITIVE_INFINITY : this.#utterances.size;
  }

  open(reference: Reference, options: ScorerOptions, events: PipelineEvents): ScoringBackend {
    const id = this.#nextId++;
    const utterance: OpenUtteranceState = { events, settle: undefined };
    this.#utterances.set(id, utterance);
    if (this.#isOver) setImmediate(() => this.#fail(id, scoringCrashed('another starts')));
    this.#say().opened.push({ id, reference, options });
    const isOpen = () => this.#utterances.has(id);
    return {
      markGap: (startFrame, endFrame) => {
        if (isOpen()) this.#say().gaps.push({ id, startFrame, endFrame });
      },
      take: (frames) => {
        if (!isOpen()) return;
        this.#frames.frames(id, frames);
        this.#say();
      },
      finish: (pushedMs) =>
        new Promise((resolve, reject) => {
          if (!isOpen()) {
            reject(scoringCrashed('it died while the utterance was open'));
            return;
          }
          utterance.settle = { resolve, reject };
          this.#say().finished.push({ id, pushedMs });
        }),
      close: () => {
        if (this.#utterances.delete(id)) this.#say().closed.push(id);
      },
    };
  }

  /**
   * Figures of the last 10 s: how long frames waited for their feedback at p95, and the share of
   * time that the thread worked.
   */
  stats(): { waitP95Ms: number; busy: number } {
    const { stepP95Ms, busy } = this.#stats.snapshot(performance.now(), 0, 0);
    return { waitP95Ms: stepP95Ms, busy };
  }

  /** Lets the thread collect its garbage. */
  tidy(): void {
    this.#worker.postMessage('tidy' satisfies ToScoring);
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#worker.terminate();
  }

  /** What waits to be said, and will be when this turn is over. */
  #say(): ScoringUpdates {
    if (!this.#isScheduled) queueMicrotask(() => this.#send());
    this.#isScheduled = true;
    return this.#pending;
  }

  #send(): void {
    this.#isScheduled = false;
    const message = { ...this.#pending, sentMs: sharedNowMs() };
    this.#pending = nothing();
    if (this.#isOver) return;
    const taken = this.#frames.take();
    if (taken.message.frames.length === 0) {
      this.#worker.postMessage(message satisfies ScoringUpdates);
      return;
    }
    this.#worker.postMessage({ ...message, frames: taken.message } satisfies ScoringUpdates, taken.transfer);
  }

  #receive({ feedback, results, failed, saidMs, sentMs, busyMs }: FromScoring): void {
    const nowMs = performance.now();
    const ageMs = Math.max(0, sharedNowMs() - saidMs);
    this.#stats.run(nowMs - busyMs, nowMs, feedback.length);
    for (const one of feedback) {
      this.#stats.step(nowMs, saidMs - sentMs);
      const utterance = this.#utterances.get(one.id);
      try {
        utterance?.events.onFeedback?.({ ...one.feedback, ageMs });
      } catch (error) {
        // A listener's bug must not break the streams of other learners.
        this.#fail(one.id, error instanceof Error ? error : new Error(String(error)));
      }
    }
    for (const { id, result } of results) {
      this.#utterances.get(id)?.settle?.resolve(result);
      this.#utterances.delete(id);
    }
    for (const { id, error } of failed) this.#fail(id, fromPlainError(error));
  }

  #fail(id: number, error: Error): void {
    const utterance = this.#utterances.get(id);
    if (!this.#utterances.delete(id)) return;
    if (utterance?.settle) utterance.settle.reject(error);
    else utterance?.events.onError(error);
  }
}

function nothing(): ScoringUpdates {
  return { opened: [], gaps: [], frames: undefined, finished: [], closed: [], sentMs: 0 };
}

function scoringCrashed(cause: unknown): SpeechfbError {
  return threadDied('scoring_crashed', 'the scoring thread', cause, 'start the utterance again');
}
