import type { AcousticEngine, Samples } from '../../acoustic/engine/types.ts';
import { SpeechfbError } from '../../errors.ts';
import type { OpenUtterance, UtterancePipeline } from '../../scoring/pipeline.ts';
import type { Reference } from '../../scoring/text/reference.ts';
import type { Feedback } from '../../scoring/utterance-scorer.ts';
import type { NodeTrace } from '../../telemetry/tracing/tracing.ts';
import type { SentNodeItem } from '../wire/items.ts';
import { messageBytes } from '../wire/messages.ts';
import { mostResponseBytes } from '../wire/service.ts';
import type { OpenUtterance as OpenItem } from '../wire/speechfb/v1/inference_pb.ts';

export type NodeUtteranceOptions = {
  open: OpenItem;
  /** The utterances of one share their turns: those of one lease. */
  speaker: string;
  engine: AcousticEngine;
  openUtterance: OpenUtterance;
  /** Samples that the gateway may send before any credit. */
  windowSamples: number;
  /** What follows it; absent: nobody does. */
  trace?: NodeTrace | undefined;
  /** Monotonic, ms. */
  now(): number;
  say(item: SentNodeItem): void;
};

/** One utterance at a node: sound of a gateway in, feedback and the result back. */
export class NodeUtterance {
  readonly lease: number;
  // What is read with each frame is kept here: an object of options costs a search each time.
  readonly #id: number;
  readonly #windowSamples: number;
  readonly #sampleRateHz: number;
  readonly #trace: NodeTrace | undefined;
  readonly #now: () => number;
  readonly #say: (item: SentNodeItem) => void;
  readonly #pipeline: UtterancePipeline;
  #takenSamples = 0;
  /** Samples for which credit was given back. */
  #creditedSamples = 0;
  /** What still comes for it is passed over: it ends, or is over. */
  #takesNoMore = false;
  /** It was closed, or has failed and said so. */
  #isOver = false;

  /** @throws SpeechfbError `invalid_reference` */
  constructor(options: NodeUtteranceOptions) {
    const { open, speaker, engine, openUtterance } = options;
    this.lease = open.lease;
    this.#id = open.utterance;
    this.#windowSamples = options.windowSamples;
    this.#sampleRateHz = engine.model.sampleRateHz;
    this.#trace = options.trace;
    this.#now = options.now;
    this.#say = options.say;
    const { emitIntervalMs, startMs, nbest, canWait } = open;
    const settings = { emitIntervalMs, startMs, speaker, canWait, ...(nbest > 0 && { nbest }) };
    this.#pipeline = openUtterance(engine, referenceOf(open), settings, {
      onFeedback: (feedback) => this.#onFeedback(feedback),
      onError: (error) => this.fail(error),
    });
  }

  /** Takes the next sound; a gateway that sends more than it has credit for has failed. */
  sound(pcm: Samples): void {
    if (this.#takesNoMore) return;
    this.#takenSamples += pcm.length;
    if (this.#takenSamples - this.#creditedSamples > this.#windowSamples) {
      this.fail(new SpeechfbError('trunk_fault', 'more sound was sent than there was credit for'));
      return;
    }
    this.#pipeline.push(pcm);
  }

  gap(ms: number): void {
    if (!this.#takesNoMore) this.#pipeline.gap(ms);
  }

  finish(): void {
    if (this.#takesNoMore) return;
    this.#takesNoMore = true;
    this.#trace?.ended(this.#now());
    this.#pipeline
      .finish()
      .then((result) => {
        const resultJson = jsonBytes(result);
        const { length } = resultJson;
        if (length > mostResultBytes) throw new Error(`a result of ${length} bytes; allowed: ${mostResultBytes}`);
        this.#say({ case: 'result', value: { utterance: this.#id, resultJson } });
        this.#trace?.end(this.#now(), 'final');
      })
      .catch((error: unknown) => this.fail(error));
  }

  close(): void {
    this.#end('closed');
  }

  #onFeedback({ audioMs, phones, progress, timing, ageMs }: Feedback): void {
    const { queue = 0, features = 0, asr = 0, scoring = 0 } = timing;
    const value = {
      utterance: this.#id,
      audioMs,
      phonesJson: phones.text,
      marks: phones.marks,
      ...(progress && { progressJson: jsonBytes(progress) }),
      timing: { queue, features, asr, scoring },
      ageMs: ageMs ?? 0,
    };
    this.#say({ case: 'feedback', value });
    this.#trace?.feedback(this.#now() - value.ageMs, value.timing);
    this.#giveCredit(audioMs);
  }

  /** Lets the gateway send as much as the model has consumed, a quarter of the window at a time. */
  #giveCredit(audioMs: number): void {
    const consumed = Math.min(this.#takenSamples, Math.floor((audioMs / 1000) * this.#sampleRateHz));
    const samples = consumed - this.#creditedSamples;
    if (samples < this.#windowSamples / 4) return;
    this.#creditedSamples = consumed;
    this.#say({ case: 'credit', value: { utterance: this.#id, samples } });
  }

  /** It cannot go on: the gateway is told, once. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    const code = error instanceof SpeechfbError ? error.code : '';
    this.#end(code === '' ? 'internal' : code);
    const message = error instanceof Error ? error.message : String(error);
    this.#say({ case: 'failed', value: { utterance: this.#id, code, message } });
  }

  /** @param outcome `closed`, or the code of its error */
  #end(outcome: string): void {
    this.#takesNoMore = true;
    this.#isOver = true;
    this.#trace?.end(this.#now(), outcome);
    this.#pipeline.close();
  }
}

/** A message takes it with what else is gathered before it. */
const mostResultBytes = mostResponseBytes - 2 * messageBytes;

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function referenceOf({ words }: OpenItem): Reference {
  return {
    words: words.map(({ text, variants, source, readings }) => ({
      text,
      variants: variants.map((phones) => (phones === '' ? [] : phones.split(' '))),
      source: source === 'given' || source === 'letter_to_sound' ? source : 'dictionary',
      ...(readings.length > 0 && { readings }),
    })),
  };
}
