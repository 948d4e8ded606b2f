import { Worker } from 'node:worker_threads';
import { StatsRecorder } from '../../acoustic/engine/engine-stats.ts';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { writeFrames } from '../../acoustic/worker/frame-records.ts';
import type { SpeechfbError } from '../../errors.ts';
import type { Exchange, Member } from '../../threads/exchange.ts';
import { fromPlainError } from '../../threads/plain-error.ts';
import { sharedNowMs } from '../../threads/shared-clock.ts';
import { threadDied } from '../../threads/thread-died.ts';
import { type MailRecord, newLinkEnds, ThreadLink } from '../../threads/thread-link.ts';
import type { PipelineEvents, ScoringBackend, UtteranceSettings } from '../pipeline.ts';
import type { Reference } from '../text/reference.ts';
import type { Feedback, TimedResult } from '../utterance-scorer.ts';
import { readFeedback } from './feedback-records.ts';
import {
  type FeedbackTimes,
  type FromScoring,
  fromScoringKinds,
  type ScoringStart,
  type SharedText,
  type ToScoring,
  toScoringKinds,
} from './messages.ts';
import { SharedTexts } from './shared-texts.ts';

type OpenUtteranceState = {
  events: PipelineEvents;
  reference: Reference;
  speaker: Speaker;
  settle: { resolve(result: TimedResult): void; reject(error: Error): void } | undefined;
};

/** A session that reads, with how many utterances. */
type Speaker = { name: string; number: number; utterances: number };

/**
 * One scoring thread as the sockets' thread sees it. What is said to it goes out with the next
 * round of mail.
 */
export class ScoringThread implements Member {
  readonly #worker: Worker;
  readonly #exchange: Exchange;
  readonly #link: ThreadLink;
  readonly #utterances = new Map<number, OpenUtteranceState>();
  readonly #speakers = new Map<string, Speaker>();
  readonly #texts = new SharedTexts(idlePhones);
  readonly #stats = new StatsRecorder(performance.now());
  #isOver = false;
  #failure: unknown;
  #nextId = 0;
  #nextSpeaker = 0;
  #sent = 0;
  /** When the thread spoke last, or was asked after it had done all: it owes a word since then. */
  #owesSinceMs: number | undefined;

  /** `onDeath` comes once, unless the thread was closed; its utterances have failed by then. */
  constructor(script: URL, model: ModelPackage, exchange: Exchange, onDeath: (error: Error) => void) {
    const ends = newLinkEnds(framesRingBytes, feedbackRingBytes);
    const workerData: ScoringStart = { model, link: ends.worker };
    this.#worker = new Worker(script, { workerData, transferList: [ends.worker.port] });
    this.#link = new ThreadLink(ends.own, () => exchange.woken());
    this.#exchange = exchange;
    exchange.join(this);
    // The sockets keep the process alive.
    this.#worker.unref();
    this.#link.unref();
    this.#worker.on('error', (error) => {
      this.#failure ??= error;
    });
    this.#worker.on('exit', (code) => {
      if (this.#isOver) return;
      // What it had said before it died counts.
      this.collect();
      this.#leave();
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
    const { speaker = `utterance ${id}`, emitIntervalMs, startMs = 0, nbest = -1, canWait = false } = settings;
    const utterance: OpenUtteranceState = { events, reference, speaker: this.#speakerOf(speaker), settle: undefined };
    this.#utterances.set(id, utterance);
    if (this.#isOver) setImmediate(() => this.#fail(id, scoringCrashed('another starts')));
    const { key, isNew } = this.#texts.hold(reference);
    if (isNew) this.#post({ key, reference });
    this.#say(
      toScoringKinds.opened,
      id,
      utterance.speaker.number,
      key,
      emitIntervalMs,
      startMs,
      nbest,
      canWait ? 1 : 0,
    );
    const isOpen = () => this.#utterances.has(id);
    return {
      markGap: (startFrame, endFrame) => {
        if (isOpen()) this.#say(toScoringKinds.gap, id, startFrame, endFrame);
      },
      take: (frames) => {
        if (!isOpen() || this.#isOver) return;
        writeFrames(this.#link, toScoringKinds.frames, id, frames, sharedNowMs());
        this.#noteSent();
      },
      finish: (pushedMs) =>
        new Promise((resolve, reject) => {
          if (!isOpen()) {
            reject(scoringCrashed('it died while the utterance was open'));
            return;
          }
          utterance.settle = { resolve, reject };
          this.#say(toScoringKinds.finished, id, pushedMs);
        }),
      giveWay: () => {
        if (isOpen()) this.#say(toScoringKinds.gaveWay, id);
      },
      close: () => {
        if (this.#drop(id)) this.#say(toScoringKinds.closed, id);
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
    this.#leave();
    await this.#worker.terminate();
  }

  collect(): void {
    this.#link.read(this.#take, this.#takeMessage);
  }

  send(): void {
    for (const key of this.#texts.takeForgotten()) this.#say(toScoringKinds.forgotten, key);
    this.#link.wake();
  }

  sleep(): boolean {
    return this.#link.sleep();
  }

  stayAwake(): void {
    this.#link.stayAwake();
  }

  #leave(): void {
    this.#isOver = true;
    this.#exchange.leave(this);
    this.#link.close();
  }

  #say(kind: number, ...values: readonly number[]): void {
    if (this.#isOver) return;
    const at = this.#link.begin(kind, 8 * values.length);
    this.#link.memory.float64.set(values, at / 8);
    this.#link.commit();
    this.#noteSent();
  }

  #post(text: SharedText): void {
    if (this.#isOver) return;
    this.#link.post(text);
    this.#noteSent();
  }

  #noteSent(): void {
    this.#sent++;
    this.#owesSinceMs ??= performance.now();
    this.#exchange.soon();
  }

  readonly #take = (record: MailRecord): void => {
    if (record.kind === fromScoringKinds.said) {
      const [heard, isBusy, busyMs] = record.memory.float64.subarray(record.at / 8, record.at / 8 + 3);
      const nowMs = performance.now();
      this.#owesSinceMs = isBusy === 1 || heard! < this.#sent ? nowMs : undefined;
      this.#stats.run(nowMs - busyMs!, nowMs, 1);
      return;
    }
    const { id, feedback, sentMs, saidMs } = readFeedback(record, this.#referenceOf);
    if (feedback) this.#tell(id, feedback, { sentMs, saidMs });
  };

  readonly #takeMessage = (message: unknown): void => {
    const said = message as FromScoring;
    if ('resultJson' in said) this.#settle(said.id, said.resultJson);
    else if ('error' in said) this.#fail(said.id, fromPlainError(said.error));
    else this.#tell(said.id, said.feedback, said);
  };

  #settle(id: number, resultJson: string): void {
    const result: TimedResult = JSON.parse(resultJson);
    this.#drop(id)?.settle?.resolve(result);
  }

  readonly #referenceOf = (id: number): Reference | undefined => this.#utterances.get(id)?.reference;

  #tell(id: number, feedback: Feedback, { sentMs, saidMs }: FeedbackTimes): void {
    this.#stats.step(performance.now(), saidMs - sentMs);
    feedback.ageMs = Math.max(0, sharedNowMs() - saidMs);
    try {
      this.#utterances.get(id)?.events.onFeedback?.(feedback);
    } catch (error) {
      // A listener's bug must not break the streams of other learners.
      this.#fail(id, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #speakerOf(name: string): Speaker {
    const speaker = this.#speakers.get(name) ?? { name, number: this.#nextSpeaker++, utterances: 0 };
    speaker.utterances++;
    this.#speakers.set(name, speaker);
    return speaker;
  }

  /** The utterance is over. */
  #drop(id: number): OpenUtteranceState | undefined {
    const utterance = this.#utterances.get(id);
    if (!utterance) return undefined;
    this.#utterances.delete(id);
    if (--utterance.speaker.utterances === 0) this.#speakers.delete(utterance.speaker.name);
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

/** Frames of 200 learners for 300 ms, and what is said of them. */
const framesRingBytes = 2 ** 20;
const feedbackRingBytes = 2 ** 20;

function scoringCrashed(cause: unknown): SpeechfbError {
  return threadDied('scoring_crashed', 'the scoring thread', cause, 'start the utterance again');
}
