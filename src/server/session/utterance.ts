import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import type { HandedUtterance } from '../../handoff/record.ts';
import type { UtteranceSound } from '../../handoff/utterance-sound.ts';
import type { ReferenceInput } from '../../protocol/client-messages.ts';
import type { UtteranceResult } from '../../protocol/result.ts';
import type { ServerMessage } from '../../protocol/server-messages.ts';
import { shiftResult } from '../../protocol/shift-result.ts';
import type { StageTimings } from '../../protocol/stages.ts';
import { eachPhone, joinPhones, type WrittenPhones, withoutAlternatives } from '../../protocol/written-phones.ts';
import type { OpenUtterance, UtterancePipeline } from '../../scoring/pipeline.ts';
import type { Reference } from '../../scoring/text/reference.ts';
import type { Feedback, Progress } from '../../scoring/utterance-scorer.ts';
import type { Told } from '../durable/told.ts';
import type { Transcription } from '../hearing/transcription.ts';
import type { UtteranceText, WrittenText } from '../hearing/utterance-text.ts';
import { finalsOnlyFrom, wordsOnlyFrom } from '../overload/ladder.ts';
import type { OverloadControl } from '../overload/overload-control.ts';
import { Arrivals } from './arrivals.ts';
import type { Sound } from './intake.ts';
import type { OpenText } from './open-text.ts';
import type { Outbox } from './outbox.ts';
import type { PartialResult } from './pending.ts';
import { Transcript } from './transcript.ts';

export type FinalMessage = Extract<ServerMessage, { type: 'utterance_final' }>;
export type FinalReason = FinalMessage['reason'];
type Granularity = 'phoneme' | 'word' | 'utterance';

/** What a client may change while its session runs. */
export type SessionSettings = { emitIntervalMs: number; granularity: Granularity };

export type UtteranceOptions = {
  id: number;
  /** The session: its utterances share the time that scoring has for it. */
  speaker: string;
  /** Utterances of learners go before it. */
  canWait: boolean;
  /** Where it begins on the session's clock. */
  startMs: number;
  text: OpenText;
  /** What another gateway has told of it. */
  told?: Told | undefined;
  /** The transcript of its session; absent: the own model. */
  transcription?: Transcription | undefined;
  /** Keeps its sound, so that it can be scored later; absent: nobody does. */
  sound?: UtteranceSound | undefined;
  engine: AcousticEngine;
  /** The span that it is, for whoever scores it elsewhere; absent: nobody traces it. */
  traceparent?: string | undefined;
  open: OpenUtterance;
  outbox: Outbox;
  overload: Pick<OverloadControl, 'level' | 'felt' | 'scored'>;
  /** Read at each result; the emit interval is fixed when the utterance begins. */
  settings: Readonly<SessionSettings>;
  now(): number;
  onError(error: Error): void;
};

/** One reading of one text within a session: sound in, events out. */
export class Utterance {
  readonly id: number;
  readonly reference: Reference;
  readonly #options: UtteranceOptions;
  readonly #arrivals = new Arrivals();
  readonly #transcript: Transcript;
  readonly #text: UtteranceText | undefined;
  /** When the sound came that a text covers: texts come later than scores, or sooner. */
  readonly #textArrivals = new Arrivals();
  readonly #pipeline: UtterancePipeline;
  /**
   * How far the model's last hop reaches into the sound behind it: the frame that brought that was
   * waited for.
   */
  readonly #overhangMs: number;
  #heardMs: number;
  #scoredMs: number;
  #feedbackRev: number;
  /**
   * Its session was sent away, and hears of it once more, when all is final: what it would hear
   * until then takes from those who stay, and how late it is says nothing of them.
   */
  #givesWay = false;
  /** Progress that was not sent yet: the client may not have wanted words until now. */
  #unsentProgress: Progress | undefined;
  #ended: { reason: FinalReason; marker: string | null } | undefined;

  constructor(options: UtteranceOptions) {
    const { id, startMs, text, engine, settings, onError } = options;
    this.id = id;
    this.reference = text.reference;
    this.#options = options;
    this.#transcript = new Transcript(id, startMs, options.told?.rev);
    this.#feedbackRev = options.told?.rev ?? 0;
    const { windowMs, hopMs } = engine.model.features;
    this.#overhangMs = windowMs - hopMs;
    this.#heardMs = startMs;
    this.#scoredMs = startMs;
    this.#text = options.transcription?.begin({
      startMs,
      reference: writtenIn(text.input),
      onRevision: (written) => this.#onWritten(written),
    });
    const onFeedback = (feedback: Feedback): void => this.#onFeedback(feedback);
    const { emitIntervalMs } = settings;
    const { speaker, canWait, traceparent } = options;
    const scored = { emitIntervalMs, speaker, startMs, canWait, ...(traceparent !== undefined && { traceparent }) };
    this.#pipeline = options.open(engine, this.reference, scored, { onFeedback, onError });
  }

  /** The span that it is; undefined: nobody traces it. */
  get traceparent(): string | undefined {
    return this.#options.traceparent;
  }

  /** How far the model is, on the session's clock. */
  get scoredMs(): number {
    return this.#isScored ? this.#scoredMs : this.#heardMs;
  }

  push(sound: Sound): void {
    const { pcm } = sound;
    this.#heardMs = sound.endMs;
    this.#arrivals.add(sound);
    if (this.#text) this.#textArrivals.add(sound);
    this.#options.sound?.push(pcm);
    this.#pipeline.push(pcm);
  }

  gap(ms: number): void {
    this.#heardMs += ms;
    this.#options.sound?.gap(ms);
    this.#pipeline.gap(ms);
  }

  /** Everything final; resolves with `utterance_final` when that is in the outbox. */
  async finish(reason: FinalReason, marker: string | null): Promise<FinalMessage | undefined> {
    const { id, startMs, outbox, overload, settings, told, now } = this.#options;
    this.#ended = { reason, marker };
    const written = this.#text?.over();
    const { timing, ...result } = shiftResult(await this.#pipeline.finish(), startMs);
    if (this.#isScored) overload.scored(now(), this.#heardMs - this.#scoredMs);
    this.#scoredMs = this.#heardMs;
    const text = written && (await written);
    this.#options.sound?.clear();
    if (told?.isFinal) return undefined;
    const by = this.#writtenOf(result, text);
    if (this.#text) this.#options.transcription?.told(this.#text, by, result.words);
    if (settings.granularity !== 'utterance') {
      const last = text
        ? this.#transcript.written(text, true, timing)
        : { ...this.#transcript.final(result, timing), ...by };
      outbox.send(last, this.#scoredMs);
    }
    const head = { type: 'utterance_final', utterance_id: id, reason, marker, timing } as const;
    const final = { ...head, ...result, ...by };
    outbox.send(final, this.#scoredMs);
    return final;
  }

  /** What it takes to score it later; undefined: it had no sound, or nobody here keeps any. */
  handed(): HandedUtterance | 'too long' | undefined {
    const { sound, startMs, text, engine, told } = this.#options;
    if (!sound || !this.#isScored || told?.isFinal) return undefined;
    if (sound.isTooLong) return 'too long';
    const parts = sound.take();
    if (parts.length === 0) return undefined;
    return {
      reference: text.input,
      startMs,
      sampleRateHz: engine.model.sampleRateHz,
      // A client that is gone has not said how its utterance ended.
      ...(this.#ended ?? { reason: 'timeout', marker: null }),
      toldMs: this.#scoredMs,
      toldRev: this.#feedbackRev,
      sound: parts,
    };
  }

  /** Utterances of those who stay go before it, and nothing of it is told until it is final. */
  giveWay(): void {
    this.#givesWay = true;
    this.#pipeline.giveWay?.();
  }

  close(): void {
    this.#pipeline.close();
    this.#options.text.release();
  }

  #onFeedback(feedback: Feedback): void {
    const { id, startMs, outbox, overload, settings } = this.#options;
    const producedMs = this.#options.now() - (feedback.ageMs ?? 0);
    const before = this.#scoredMs;
    // At the end the model hears silence beyond the sound, for its look-ahead.
    this.#scoredMs = Math.max(before, Math.min(this.#heardMs, startMs + feedback.audioMs));
    overload.scored(producedMs, this.#scoredMs - before);
    if (this.#givesWay) return;
    this.#unsentProgress = feedback.progress ?? this.#unsentProgress;
    const { level } = overload;
    const { told } = this.#options;
    const news = told?.newsOf(feedback.phones, this.#scoredMs) ?? feedback.phones;
    if (told?.isFinal || (told && this.#scoredMs <= told.audioMs && news.marks.length === 0)) return;
    const granularity = level >= wordsOnlyFrom && settings.granularity === 'phoneme' ? 'word' : settings.granularity;
    if (granularity === 'utterance') return;
    const scored = this.#arrivals.of(this.#scoredMs);
    const arrival = this.#arrivals.of(Math.min(this.#heardMs, this.#scoredMs + this.#overhangMs));
    const window = scored && arrival ? arrival.endMs - scored.endMs : 0;
    const ingress = arrival ? arrival.releasedMs - arrival.arrivedMs : 0;
    const timing = { window, ingress, ...feedback.timing };
    if (arrival) overload.felt(producedMs, Math.max(0, producedMs - arrival.pacedMs));
    const times = { producedMs, arrivedMs: arrival?.arrivedMs ?? producedMs, captureMs: scored?.lengthMs };
    const stamp = { audioMs: this.#scoredMs, ...times };
    if (granularity === 'phoneme') {
      this.#feedbackRev += 1;
      const phones = spared(news, level);
      const message = { type: 'phoneme_feedback', utterance_id: id, rev: this.#feedbackRev, phones, timing } as const;
      outbox.sendPartial({ message, ...stamp });
    }
    const progress = this.#unsentProgress;
    if (progress) this.#revise(progress, timing, stamp);
    this.#unsentProgress = undefined;
  }

  /** Whether the model knows the language. */
  get #isScored(): boolean {
    return this.#options.transcription?.scoresPhones !== false;
  }

  /** Tells how far the reading is, where the own model writes the transcript. */
  #revise(progress: Progress, timing: StageTimings, stamp: Omit<PartialResult, 'message'>): void {
    const own = this.#text?.ofLocal(progress.words.map(({ text }) => text));
    if (this.#text && !own) return;
    this.#options.outbox.sendPartial({ message: { ...this.#transcript.revise(progress, timing), ...own }, ...stamp });
  }

  /** A backend has written more, or otherwise. */
  #onWritten(written: WrittenText): void {
    const { startMs, outbox, settings, told } = this.#options;
    const audioMs = Math.max(startMs, Math.min(written.coversMs ?? this.#heardMs, this.#heardMs));
    if (this.#givesWay || settings.granularity === 'utterance') return;
    if (told?.isFinal || (told && audioMs <= told.audioMs)) return;
    const producedMs = this.#options.now();
    const arrival = this.#textArrivals.of(audioMs);
    const { arrivedMs, releasedMs } = arrival ?? { arrivedMs: producedMs, releasedMs: producedMs };
    const timing = { ingress: releasedMs - arrivedMs, asr: producedMs - releasedMs };
    outbox.sendPartial({ message: this.#transcript.written(written, false, timing), audioMs, producedMs, arrivedMs });
  }

  /** The last text and what wrote it, where a policy decides that. */
  #writtenOf({ words }: UtteranceResult, text: WrittenText | undefined): Partial<Written> {
    if (!this.#text) return {};
    if (!text) return this.#text.ofLocal(wordsRead(words), true) ?? {};
    const by = { text: text.text, backend: text.backend };
    return this.#isScored ? by : { ...by, heard: text.text === '' ? 'nothing' : 'text' };
  }
}

type Written = Pick<Extract<ServerMessage, { type: 'utterance_final' }>, 'text' | 'backend' | 'heard'>;

/** What is to be read, as it is written. */
function writtenIn(input: ReferenceInput): string {
  return 'text' in input ? input.text : input.words.map(({ text }) => text).join(' ');
}

function wordsRead(words: UtteranceResult['words']): string[] {
  return words.filter(({ error_type }) => error_type !== 'omission').map(({ text }) => text);
}

/** The phones that a late server still tells. */
function spared(phones: WrittenPhones, level: number): WrittenPhones {
  if (level < finalsOnlyFrom) return phones;
  return joinPhones(
    eachPhone(phones)
      .filter((phone) => phone.isFinal)
      .map(withoutAlternatives),
  );
}
