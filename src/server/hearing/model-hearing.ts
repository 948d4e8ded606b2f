import type { Samples } from '../../acoustic/engine/types.ts';
import type { Hearing, HearingEvents, HearingInput } from '../../backends/backend.ts';
import { SpeechfbError } from '../../errors.ts';
import type { UtterancePipeline } from '../../scoring/pipeline.ts';
import type { BegunWord, Feedback, TimedResult } from '../../scoring/utterance-scorer.ts';
import type { LocalModel } from './local-model.ts';
import { phoneScoresOf } from './phone-scores.ts';

/**
 * Has a model of ours hear a session beside the one that scores it, as `listen` of a local backend:
 * it writes which words of the reference it hears, while they are spoken and in the end. Steps of
 * the learners who are scored by the same model go before its own.
 *
 * @param mostPhones of all pronunciations of a text
 */
export function hearBeside(model: LocalModel, mostPhones: number) {
  return (input: HearingInput, on: HearingEvents): Hearing => new ModelHearing({ model, mostPhones, input, on });
}

type ModelHearingOptions = { model: LocalModel; mostPhones: number; input: HearingInput; on: HearingEvents };

class ModelHearing implements Hearing {
  readonly #options: ModelHearingOptions;
  readonly #release: () => void;
  /** The open one, and those that are over and not final yet. */
  readonly #pipelines = new Set<UtterancePipeline>();
  #open: UtterancePipeline | undefined;
  #begun = 0;
  /** Utterances whose finals were told. */
  #told = 0;
  #finals: Promise<void> = Promise.resolve();
  #progress: { words: readonly BegunWord[] } = { words: [] };
  /** How far the open utterance has heard, on the session's clock; undefined: nothing yet. */
  #heardMs: number | undefined;
  #isClosed = false;

  constructor(options: ModelHearingOptions) {
    this.#options = options;
    this.#release = options.model.hold();
    queueMicrotask(() => {
      if (!this.#isClosed) options.on.onReady();
    });
    this.next(options.input.reference);
  }

  push(pcm: Samples, startMs: number): void {
    if (!this.#open) return;
    const { sampleRateHz } = this.#options.input;
    const missedMs = this.#heardMs === undefined ? 0 : startMs - this.#heardMs;
    if (missedMs >= leastGapMs) this.#open.gap(missedMs);
    this.#open.push(pcm);
    this.#heardMs = startMs + (pcm.length / sampleRateHz) * 1000;
  }

  utteranceOver(): void {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    const result = open.finish();
    result.catch(() => {});
    // Whoever listens takes a text of the next utterance for the end of this one.
    this.#finals = this.#finals.then(async () => this.#finish(open, await result)).catch((error) => this.#fail(error));
  }

  next(reference = ''): void {
    this.utteranceOver();
    if (this.#isClosed) return;
    this.#heardMs = undefined;
    this.#progress = { words: [] };
    const utterance = this.#begun++;
    const { model, mostPhones, input } = this.#options;
    try {
      const read = model.scoring.readReference({ text: reference }, mostPhones);
      const settings = { emitIntervalMs, speaker: input.session, canWait: true };
      this.#open = model.scoring.openUtterance(model.engine, read, settings, {
        onFeedback: (feedback) => this.#hear(utterance, feedback),
        onError: (error) => this.#fail(error),
      });
      this.#pipelines.add(this.#open);
    } catch (error) {
      queueMicrotask(() => this.#fail(error));
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#open = undefined;
    for (const pipeline of this.#pipelines) pipeline.close();
    this.#pipelines.clear();
    const { model, input } = this.#options;
    model.scoring.leave?.(input.session);
    this.#release();
  }

  #hear(utterance: number, { progress }: Feedback): void {
    if (utterance !== this.#told) return;
    // What hears nothing of the text says so, too: it is there, and owes nobody a word.
    const { words } = progress ?? this.#progress;
    this.#progress = { words };
    const firstOpen = words.findIndex(({ isFinal }) => !isFinal);
    const settled = written(words.slice(0, firstOpen < 0 ? words.length : firstOpen)).length;
    this.#tell({ utterance, text: written(words), settled, isFinal: false });
  }

  #finish(pipeline: UtterancePipeline, { words }: TimedResult): void {
    pipeline.close();
    this.#pipelines.delete(pipeline);
    const text = written(words.filter(({ error_type }) => error_type !== 'omission'));
    this.#tell({ utterance: this.#told++, text, settled: text.length, isFinal: true, phones: phoneScoresOf(words) });
  }

  #tell(text: Parameters<HearingEvents['onText']>[0]): void {
    if (!this.#isClosed) this.#options.on.onText(text);
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    // A text is the learner's: what is wrong with it is nobody's to read.
    const isText = error instanceof SpeechfbError && error.code === 'invalid_reference';
    const why = isText ? 'the text cannot be read' : error instanceof Error ? error.message : String(error);
    this.#options.on.onError({ class: 'fault', message: `${this.#options.model.identity} cannot hear: ${why}` });
  }
}

function written(words: readonly { text: string }[]): string {
  return words.map(({ text }) => text).join(' ');
}

/** As sessions have it that ask for nothing else. */
const emitIntervalMs = 100;
/** Less is the rounding of two clocks. */
const leastGapMs = 1;
