import type { AcousticFrames } from '../../acoustic/engine/types.ts';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { eachResult, releaseResults } from '../../acoustic/worker/worker-messages.ts';
import { toPlainError } from '../../threads/plain-error.ts';
import { sharedNowMs } from '../../threads/shared-clock.ts';
import { buildGraph, type Graph } from '../align/graph.ts';
import type { Reference } from '../text/reference.ts';
import { type Feedback, type ScorerOptions, type TimedResult, UtteranceScorer } from '../utterance-scorer.ts';
import { FairQueue } from './fair-queue.ts';
import type { FromScoring, ScoringUpdates } from './messages.ts';

/**
 * The work of a scoring thread: takes messages, gives every speaker turns, and says what came of
 * it. An utterance's scorer is made by its own first task, its text's graph by the first reader.
 */
export class ScoringDesk {
  readonly #model: ModelPackage;
  readonly #post: (message: FromScoring) => void;
  readonly #queue = new FairQueue({ turnMs, now: () => performance.now() });
  readonly #texts = new Map<number, Text>();
  readonly #utterances = new Map<number, DeskUtterance>();
  #heard = 0;
  #begunMs = 0;
  #saying = silence();
  /** When the frames were sent that are being scored, on the shared clock. */
  #sentMs = 0;

  constructor(model: ModelPackage, post: (message: FromScoring) => void) {
    this.#model = model;
    this.#post = post;
  }

  /** Puts what a message asks for behind what its speakers asked for before. */
  take({ texts, opened, gaps, frames, finished, closed, forgotten, sentMs }: ScoringUpdates): void {
    this.#heard++;
    for (const { key, reference } of texts) this.#texts.set(key, { reference, graph: undefined });
    for (const { id, speaker, text, options } of opened) {
      this.#utterances.set(id, { id, speaker, text: this.#texts.get(text)!, options, scorer: undefined });
    }
    for (const { id, startFrame, endFrame } of gaps) {
      this.#ask(id, (utterance) => {
        this.#scorerOf(utterance).markGap(startFrame, endFrame);
        return false;
      });
    }
    if (frames) this.#takeFrames(frames, sentMs);
    for (const { id, pushedMs } of finished) this.#finish(id, pushedMs);
    for (const id of closed) this.#utterances.delete(id);
    for (const key of forgotten) this.#texts.delete(key);
  }

  /** Works for `forMs` or until all is done, and speaks; whether there is more to do. */
  work(forMs: number): boolean {
    this.#begunMs = performance.now();
    this.#queue.run(forMs);
    this.#speak();
    return !this.#queue.isEmpty;
  }

  #takeFrames(results: NonNullable<ScoringUpdates['frames']>, sentMs: number): void {
    let waiting = 0;
    // The frames are views of the message, whose memory goes when nobody looks at it any more.
    const done = (): void => {
      if (--waiting === 0) releaseResults(results);
    };
    eachResult(results, (id, frames) => {
      if (!this.#utterances.has(id)) return;
      waiting++;
      let row = 0;
      const task = (utterance: DeskUtterance): boolean => {
        this.#sentMs = sentMs;
        row = this.#scorerOf(utterance).takePart(row === 0 ? later(frames, sentMs) : frames, row);
        return row < frames.count;
      };
      this.#ask(id, task, done);
    });
    if (waiting === 0) releaseResults(results);
  }

  #finish(id: number, pushedMs: number): void {
    let steps: Generator<void, TimedResult> | undefined;
    this.#ask(id, (utterance) => {
      steps ??= this.#scorerOf(utterance).finishing(pushedMs);
      const step = steps.next();
      if (!step.done) return true;
      this.#saying.results.push({ id, result: step.value });
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
    this.#queue.add(asked.speaker, {
      step: () => {
        let hasMore = false;
        try {
          hasMore = this.#utterances.get(id) === asked && act(asked);
        } catch (error) {
          this.#utterances.delete(id);
          this.#saying.failed.push({ id, error: toPlainError(error) });
        }
        if (!hasMore) done();
        return hasMore;
      },
    });
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
    this.#saying.feedback.push({ id, feedback, sentMs: this.#sentMs });
    if (performance.now() - this.#begunMs > speakEveryMs) this.#speak();
  }

  #speak(): void {
    const nowMs = performance.now();
    const isBusy = !this.#queue.isEmpty;
    this.#post({
      ...this.#saying,
      saidMs: sharedNowMs(),
      heard: this.#heard,
      isBusy,
      busyMs: nowMs - this.#begunMs,
    });
    this.#begunMs = nowMs;
    this.#saying = silence();
  }
}

type Text = { reference: Reference; graph: Graph | undefined };

type DeskUtterance = {
  id: number;
  speaker: string;
  text: Text;
  options: ScorerOptions;
  scorer: UtteranceScorer | undefined;
};

/** A speaker has the thread for this long, or to the end of what there is of it. */
const turnMs = 2;
/** What the first learners in a batch get does not wait for the last of them. */
const speakEveryMs = 2;

/** The frames with the time that they waited for this thread. */
function later(frames: AcousticFrames, sentMs: number): AcousticFrames {
  const { queueMs, featuresMs, inferenceMs } = frames.timing;
  return { ...frames, timing: { queueMs: queueMs + sharedNowMs() - sentMs, featuresMs, inferenceMs } };
}

function silence(): Pick<FromScoring, 'feedback' | 'results' | 'failed'> {
  return { feedback: [], results: [], failed: [] };
}
