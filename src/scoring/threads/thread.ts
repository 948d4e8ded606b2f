import { Worker } from 'node:worker_threads';
import { StatsRecorder } from '../../acoustic/engine/engine-stats.ts';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { ResultsGatherer } from '../../acoustic/worker/worker-messages.ts';
import type { SpeechfbError } from '../../errors.ts';
import { fromPlainError } from '../../threads/plain-error.ts';
import { sharedNowMs } from '../../threads/shared-clock.ts';
import { threadDied } from '../../threads/thread-died.ts';
import type { PipelineEvents, ScoringBackend, UtteranceSettings } from '../pipeline.ts';
import type { Reference } from '../text/reference.ts';
import type { TimedResult } from '../utterance-scorer.ts';
import type { FromScoring, ScoringStart, ScoringUpdates, ToScoring } from './messages.ts';
import { SharedTexts } from './shared-texts.ts';

type OpenUtteranceState = {
  events: PipelineEvents;
  reference: Reference;
  speaker: string;
  settle: { resolve(result: TimedResult): void; reject(error: Error): void } | undefined;
};

/**
 * One scoring thread as the sockets' thread sees it. What is said to it within one turn of the
 * event loop is one message.
 */
export class ScoringThread {
  readonly #worker: Worker;
  readonly #utterances = new Map<number, OpenUtteranceState>();
  /** How many utterances each speaker has. */
  readonly #speakers = new Map<string, number>();
  readonly #texts = new SharedTexts(idlePhones);
  readonly #frames = new ResultsGatherer();
  readonly #stats = new StatsRecorder(performance.now());
  #pending = nothing();
  #isScheduled = false;
  #isOver = false;
  #failure: unknown;
  #nextId = 0;
  #sent = 0;
  /** When the thread spoke last, or was asked after it had done all: it owes a word since then. */
  #owesSinceMs: number | undefined;

  /** `onDeath` comes once, unless the thread was closed; its utterances have failed by then. */
  constructor(script: URL, model: ModelPackage, onDeath: (error: Error) => void) {
    this.#worker = new Worker(script, { workerData: { model } satisfies ScoringStart });
    this.#worker.on('message', (message: FromScoring) => this.#receive(message));
    // The sockets keep the process alive.
    this.#worker.unref();
    this.#worker.on('error', (error) => {
      this.#failure ??= error;
    });
    this.#worker.on('exit', (code) => {
      if (this.#isOver) return;
      this.#isOver = true;
      const error = scoringCrashed(this.#failure ?? `it ended with code ${code}`);
      for (const id of [...this.#utterances.keys()]) this.#fail(id, error);
      onDeath(error);
    });
  }

  /** Utterances that it has; Infinity when it is dead. */
  get size(): number {
    return this.#isOver ? Number.POSITIVE_INFINITY : this.#utterances.size;
  }

  /** Whether it has an utterance of this speaker. */
  has(speaker: string): boolean {
    return !this.#isOver && this.#speakers.has(speaker);
  }

  open(reference: Reference, settings: UtteranceSettings, events: PipelineEvents): ScoringBackend {
    const id = this.#nextId++;
    const { speaker = `utterance ${id}`, ...options } = settings;
    const utterance: OpenUtteranceState = { events, reference, speaker, settle: undefined };
    this.#utterances.set(id, utterance);
    this.#speakers.set(speaker, (this.#speakers.get(speaker) ?? 0) + 1);
    if (this.#isOver) setImmediate(() => this.#fail(id, scoringCrashed('another starts')));
    const { key, isNew } = this.#texts.hold(reference);
    const said = this.#say();
    if (isNew) said.texts.push({ key, reference });
    said.opened.push({ id, speaker, text: key, options });
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
        if (this.#drop(id)) this.#say().closed.push(id);
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

  /**
   * How long the thread has said nothing while there was something to do, ms; it speaks every few
   * milliseconds then.
   */
  silentMs(nowMs: number): number {
    return this.#isOver || this.#owesSinceMs === undefined ? 0 : nowMs - this.#owesSinceMs;
  }

  /** Ends a thread that does not come back: its utterances fail, and `onDeath` is called. */
  kill(why: string): void {
    this.#failure ??= new Error(why);
    void this.#worker.terminate();
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
    const message = { ...this.#pending, forgotten: this.#texts.takeForgotten(), sentMs: sharedNowMs() };
    this.#pending = nothing();
    if (this.#isOver) return;
    this.#sent++;
    this.#owesSinceMs ??= performance.now();
    const taken = this.#frames.take();
    if (taken.message.frames.length === 0) {
      this.#worker.postMessage(message satisfies ScoringUpdates);
      return;
    }
    this.#worker.postMessage({ ...message, frames: taken.message } satisfies ScoringUpdates, taken.transfer);
  }

  #receive({ feedback, results, failed, saidMs, heard, isBusy, busyMs }: FromScoring): void {
    const nowMs = performance.now();
    this.#owesSinceMs = isBusy || heard < this.#sent ? nowMs : undefined;
    const ageMs = Math.max(0, sharedNowMs() - saidMs);
    this.#stats.run(nowMs - busyMs, nowMs, feedback.length);
    for (const one of feedback) {
      this.#stats.step(nowMs, saidMs - one.sentMs);
      const utterance = this.#utterances.get(one.id);
      try {
        utterance?.events.onFeedback?.({ ...one.feedback, ageMs });
      } catch (error) {
        // A listener's bug must not break the streams of other learners.
        this.#fail(one.id, error instanceof Error ? error : new Error(String(error)));
      }
    }
    for (const { id, result } of results) {
      this.#drop(id)?.settle?.resolve(result);
    }
    for (const { id, error } of failed) this.#fail(id, fromPlainError(error));
  }

  /** The utterance is over. */
  #drop(id: number): OpenUtteranceState | undefined {
    const utterance = this.#utterances.get(id);
    if (!utterance) return undefined;
    this.#utterances.delete(id);
    const left = this.#speakers.get(utterance.speaker)! - 1;
    if (left > 0) this.#speakers.set(utterance.speaker, left);
    else this.#speakers.delete(utterance.speaker);
    this.#texts.release(utterance.reference);
    return utterance;
  }

  #fail(id: number, error: Error): void {
    const utterance = this.#drop(id);
    if (utterance?.settle) utterance.settle.reject(error);
    else utterance?.events.onError(error);
  }
}

/** Phones of the texts that stay in a thread without a reader: a hundred pages, some megabytes. */
const idlePhones = 300_000;

function nothing(): ScoringUpdates {
  return { texts: [], opened: [], gaps: [], frames: undefined, finished: [], closed: [], forgotten: [], sentMs: 0 };
}

function scoringCrashed(cause: unknown): SpeechfbError {
  return threadDied('scoring_crashed', 'the scoring thread', cause, 'start the utterance again');
}
