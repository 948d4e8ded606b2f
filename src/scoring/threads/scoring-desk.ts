import type { AcousticFrames } from '../../acoustic/engine/types.ts';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { type FrameRecord, readFrames } from '../../acoustic/worker/frame-records.ts';
import { toPlainError } from '../../threads/plain-error.ts';
import { sharedNowMs } from '../../threads/shared-clock.ts';
import { type LinkEnd, type MailRecord, ThreadLink } from '../../threads/thread-link.ts';
import { buildGraph, type Graph } from '../align/graph.ts';
import type { Reference } from '../text/reference.ts';
import { type Feedback, type ScorerOptions, UtteranceScorer } from '../utterance-scorer.ts';

import { writeFeedback } from './feedback-records.ts';
import { HeldFrames } from './held-frames.ts';
import { LaneQueue } from './lane-queue.ts';
import { type FromScoring, fromScoringKinds, type SharedText, toScoringKinds } from './messages.ts';

/**
 * The work of a scoring thread: reads its mail, gives every speaker turns, and says what came of
 * it. An utterance's scorer is made by its own first task, its text's graph by the first reader.
 */
export class ScoringDesk {
  readonly #model: ModelPackage;
  readonly #link: ThreadLink;
  readonly #held = new HeldFrames();
  readonly #queue = new LaneQueue({ turnMs, now: () => performance.now() });
  readonly #texts = new Map<number, Text>();
  readonly #utterances = new Map<number, DeskUtterance>();
  #heard = 0;
  #begunMs = 0;
  /** When the other thread was last given the chance to look, ms. */
  #sentMs = 0;
  /** When the frames were sent that are being scored, on the shared clock. */
  #framesSentMs = 0;

  /** @param onWake There is mail, and somebody should call `work`. */
  constructor(model: ModelPackage, end: LinkEnd, onWake: () => void) {
    this.#model = model;
    this.#link = new ThreadLink(end, onWake);
  }

  /** Whether what was said has no room yet: the work waits for the reader. */
  get isFull(): boolean {
    this.#link.wake();
    return this.#link.isFull;
  }

  /**
   * Reads the mail, works for `forMs` or until all is done, and speaks; whether there is more to
   * do. If not, the thread is woken when there is.
   */
  work(forMs: number): boolean {
    this.#begunMs = this.#sentMs = performance.now();
    this.#link.stayAwake();
    const hasMail = this.#link.read(this.#take, this.#takeText);
    const hadWork = !this.#queue.isEmpty;
    this.#queue.run(forMs);
    if (hasMail || hadWork) this.#speak();
    return !this.#queue.isEmpty || !this.#link.sleep();
  }

  readonly #takeText = (message: unknown): void => {
    const { key, reference } = message as SharedText;
    this.#heard++;
    this.#texts.set(key, { reference, graph: undefined });
  };

  /** Puts what a record asks for behind what its speaker asked for before. */
  readonly #take = (record: MailRecord): void => {
    const { float64 } = record.memory;
    const at = record.at / 8;
    const id = float64[at]!;
    this.#heard++;
    switch (record.kind) {
      case toScoringKinds.frames:
        this.#takeFrames(readFrames(record));
        return;
      case toScoringKinds.opened:
        this.#open(id, float64.subarray(at, at + 7));
        return;
      case toScoringKinds.gap: {
        const [start, end] = [float64[at + 1]!, float64[at + 2]!];
        this.#ask(id, (utterance) => {
          this.#scorerOf(utterance).markGap(start, end);
          return false;
        });
        return;
      }
      case toScoringKinds.finished:
        this.#finish(id, float64[at + 1]!);
        return;
      case toScoringKinds.gaveWay:
        this.#giveWay(id);
        return;
      case toScoringKinds.closed:
        this.#utterances.delete(id);
        return;
      case toScoringKinds.forgotten:
        this.#texts.delete(id);
    }
  };

  #open(id: number, [, speaker, text, emitIntervalMs, startMs, nbest, canWait]: Float64Array): void {
    const options = { emitIntervalMs: emitIntervalMs!, startMs: startMs!, ...(nbest! >= 0 && { nbest: nbest! }) };
    const of = { id, speaker: speaker!, canWait: canWait === 1, text: this.#texts.get(text!)! };
    this.#utterances.set(id, { ...of, options, scorer: undefined });
  }

  #giveWay(id: number): void {
    const utterance = this.#utterances.get(id);
    if (!utterance) return;
    utterance.canWait = true;
    this.#queue.defer(utterance.speaker);
  }

  #takeFrames({ id, frames: given, sentMs }: FrameRecord): void {
    if (!this.#utterances.has(id)) return;
    const { frames, release } = this.#held.hold(given);
    let row = 0;
    const task = (utterance: DeskUtterance): boolean => {
      this.#framesSentMs = sentMs;
      if (row === 0) frames.timing = later(frames.timing, sentMs);
      row = this.#scorerOf(utterance).takePart(frames, row);
      return row < frames.count;
    };
    this.#ask(id, task, release);
  }

  #finish(id: number, pushedMs: number): void {
    let steps: ReturnType<UtteranceScorer['finishing']> | undefined;
    this.#ask(id, (utterance) => {
      steps ??= this.#scorerOf(utterance).finishing(pushedMs);
      const step = steps.next();
      if (!step.done) return true;
      this.#link.post({ id, resultJson: JSON.stringify(step.value) } satisfies FromScoring);
      this.#utterances.delete(id);
      return false;
    });
  }

  /**
   * Queues something for an utterance, which must not stop the others when it fails; nothing is
   * done for one that is gone by then. `done` is called in each case.
   */
  #ask(id: number, act: (utterance: DeskUtterance) => boolean, done = () => {}): void {
    const asked = this.#utterances.get(id);
    if (!asked) return;
    const step = () => {
      let hasMore = false;
      try {
        hasMore = this.#utterances.get(id) === asked && act(asked);
      } catch (error) {
        this.#utterances.delete(id);
        this.#link.post({ id, error: toPlainError(error) } satisfies FromScoring);
      }
      if (!hasMore) done();
      return hasMore;
    };
    this.#queue.add(asked.speaker, { step }, asked.canWait);
  }

  #scorerOf(utterance: DeskUtterance): UtteranceScorer {
    if (utterance.scorer) return utterance.scorer;
    const { id, text, options } = utterance;
    text.graph ??= buildGraph(text.reference, this.#model);
    const events = { onFeedback: (feedback: Feedback) => this.#note(id, feedback) };
    utterance.scorer = new UtteranceScorer(this.#model, text.reference, options, events, text.graph);
    return utterance.scorer;
  }

  #note(id: number, feedback: Feedback): void {
    const times = { sentMs: this.#framesSentMs, saidMs: sharedNowMs() };
    if (!writeFeedback(this.#link, id, feedback, times)) {
      this.#link.post({ id, feedback, ...times } satisfies FromScoring);
    }
    const nowMs = performance.now();
    if (nowMs - this.#sentMs <= sendEveryMs) return;
    this.#sentMs = nowMs;
    this.#link.wake();
  }

  #speak(): void {
    const at = this.#link.begin(fromScoringKinds.said, 3 * 8);
    const { float64 } = this.#link.memory;
    float64[at / 8] = this.#heard;
    float64[at / 8 + 1] = this.#queue.isEmpty ? 0 : 1;
    float64[at / 8 + 2] = performance.now() - this.#begunMs;
    this.#link.commit();
    this.#link.wake();
  }
}

type Text = { reference: Reference; graph: Graph | undefined };

type DeskUtterance = {
  id: number;
  speaker: number;
  canWait: boolean;
  text: Text;
  options: ScorerOptions;
  scorer: UtteranceScorer | undefined;
};

/** A speaker has the thread for this long, or to the end of what there is of it. */
const turnMs = 2;
/** What the first learners in a batch get does not wait for the last of them. */
const sendEveryMs = 2;

/** The time that the frames have waited, with that for this thread. */
function later(
  { queueMs, featuresMs, inferenceMs }: AcousticFrames['timing'],
  sentMs: number,
): AcousticFrames['timing'] {
  return { queueMs: queueMs + sharedNowMs() - sentMs, featuresMs, inferenceMs };
}
