import type { StartMessage } from '../../protocol/client-messages.ts';
import type { AudioFrame } from '../../protocol/frame.ts';
import type { Reference } from '../../scoring/text/reference.ts';
import type { SessionTrace } from '../../telemetry/tracing/tracing.ts';
import type { AudioResumption } from '../durable/resumption.ts';
import { UtterancePlaces } from '../durable/utterance-places.ts';
import { isSameLanguage } from '../hearing/language.ts';
import type { SessionRoute } from '../hearing/route.ts';
import { Transcription } from '../hearing/transcription.ts';
import { openUnscored } from '../hearing/unscored.ts';
import type { Refusal } from '../refusal.ts';
import type { AudioClock } from './audio-clock.ts';
import type { ServerContext } from './context.ts';
import type { HandOver } from './hand-over.ts';
import { Intake, type Sound } from './intake.ts';
import type { AddOutcome, Checkpoint } from './jitter-buffer.ts';
import type { OpenText } from './open-text.ts';
import type { Outbox } from './outbox.ts';
import { SpeechWatch } from './speech-watch.ts';
import { type FinalMessage, type FinalReason, type SessionSettings, Utterance } from './utterance.ts';

export type SessionAudioOptions = {
  context: ServerContext;
  sessionId: string;
  start: StartMessage;
  /** The first text. */
  text: OpenText;
  /** What writes the transcript; absent: the own model, and no policy has a say. */
  route?: SessionRoute | undefined;
  /** How it goes on with the sound of another gateway; absent: it begins. */
  resumption?: AudioResumption | undefined;
  /** The session's clock, moved on by what is read. */
  clock: AudioClock;
  settings: Readonly<SessionSettings>;
  outbox: Outbox;
  /** What follows its utterances; absent: nobody does. */
  trace?: SessionTrace | undefined;
  /** An utterance failed: the session cannot go on. */
  onError(error: unknown): void;
  /** Lets utterances be scored later; absent: they end with the session. */
  handOver?: HandOver | undefined;
  /** The final of an utterance is in the outbox. */
  onFinal(): void;
};

/**
 * A session's audio, and the utterances that it goes to, one after the other. What it refuses it
 * returns: the session must end for it.
 */
export class SessionAudio {
  readonly #options: SessionAudioOptions;
  readonly #intake: Intake;
  readonly #speech: SpeechWatch;
  readonly #transcription: Transcription | undefined;
  readonly #places = new UtterancePlaces();
  readonly #finishing = new Set<Finishing>();
  #givesWay = false;
  /** The utterance that hears; undefined between `finish` and `next`. */
  #open: Utterance | undefined;
  #latest: Utterance;
  readonly #progress: Progress;
  /** Sound that the client may send at once beyond what is allowed, since others heard it first. */
  #replayMs: number;

  constructor(options: SessionAudioOptions) {
    const { context, start, text, clock, outbox, resumption } = options;
    const modelRateHz = context.engine.model.sampleRateHz;
    this.#options = options;
    this.#speech = new SpeechWatch(modelRateHz, (state, at_ms) => {
      if (at_ms > (resumption?.speechMs ?? -1)) outbox.send({ type: 'speech', state, at_ms });
    });
    this.#transcription = this.#createTranscription();
    this.#intake = new Intake({
      codec: start.audio.encoding,
      sampleRateHz: start.audio.sample_rate,
      modelRateHz,
      limits: context.limits,
      latenessMs: (nowMs) => context.overload.latenessMs(nowMs),
      clock,
      from: resumption?.from,
      firstFrameMs: resumption?.firstFrameMs,
      onSound: (sound) => this.#hear(sound),
      onGap: (ms, frames) => this.#skip(ms, frames),
    });
    this.#speech.gap(clock.ms);
    this.#latest = this.#begin(resumption?.utteranceId ?? 1, text);
    this.#open = this.#latest;
    this.#replayMs = resumption?.replayMs ?? 0;
    this.#progress = { scoredMs: clock.ms, atMs: context.awake() };
    if (resumption?.isBetween) this.#closeOpen();
  }

  /** What became of the frame, which came at `nowMs`. */
  add(frame: AudioFrame, nowMs: number): AddOutcome | Refusal {
    return this.#intake.add(frame, nowMs);
  }

  /**
   * The refusal of more than the model can catch up with: after an outage as much as fits the
   * resume window may come at once. Whoever speaks too fast was refused before: it is the server
   * that is late.
   */
  overload(): Refusal | undefined {
    const { limits } = this.#options.context;
    const bufferedMs = this.bufferedMs();
    if (this.#replayMs > 0 && this.#hasCaughtUp(bufferedMs)) this.#replayMs = 0;
    const allowedMs = limits.maxBufferedMs + limits.resumeTtlMs + this.#replayMs;
    if (bufferedMs <= allowedMs) return undefined;
    const message = `${Math.round(bufferedMs)} ms of audio wait for the model; at most ${allowedMs} may`;
    return { code: 'inference_timeout', message, retryAfterMs: limits.busyRetryMs, limit: 'maxBufferedMs' };
  }

  /** Why no further utterance may begin now: too many have ended and wait for their finals. */
  crowded(): Refusal | undefined {
    const { maxFinishing, busyRetryMs } = this.#options.context.limits;
    // The open one ends, too, when the next begins.
    if (this.#finishing.size + (this.#open ? 1 : 0) <= maxFinishing) return undefined;
    const message = `${this.#finishing.size} utterances wait for their finals; max_finishing is ${maxFinishing}`;
    return { code: 'too_fast', message, retryAfterMs: busyRetryMs, limit: 'maxFinishing' };
  }

  /** Ends the utterance and begins the next. */
  next(text: OpenText): Refusal | undefined {
    const refusal = this.finish('next_utterance', null);
    if (refusal) {
      text.release();
      return refusal;
    }
    this.#latest = this.#begin(this.#latest.id + 1, text);
    this.#open = this.#latest;
    return undefined;
  }

  /**
   * Ends the utterance, if one is open; what is heard until `next` is acknowledged and not scored.
   */
  finish(reason: FinalReason, marker: string | null): Refusal | undefined {
    const refusal = this.#intake.flush(this.#nowMs());
    if (refusal) return refusal;
    const ended = this.#open;
    this.#open = undefined;
    if (!ended) return undefined;
    this.#options.trace?.utteranceEnded(ended.id, reason, this.#nowMs());
    const progress = { scoredMs: ended.scoredMs, atMs: this.#options.context.awake() };
    const entry = { utterance: ended, progress, done: Promise.resolve() };
    entry.done = ended
      .finish(reason, marker)
      .then((final) => this.#finalSent(ended, final))
      .catch(this.#options.onError)
      .finally(() => {
        this.#finishing.delete(entry);
        ended.close();
      });
    this.#finishing.add(entry);
    return undefined;
  }

  /** The client says which frame is its last: what has not come of those before it is a gap. */
  giveUpTo(lastSeq: number): Refusal | undefined {
    return this.#intake.giveUpTo(lastSeq, this.#nowMs());
  }

  /** The utterances whose finals are still to come. */
  unfinished(): readonly Utterance[] {
    const ended = [...this.#finishing].map(({ utterance }) => utterance);
    return this.#open ? [...ended, this.#open] : ended;
  }

  /** Resolves when every ended utterance has sent its final. */
  async settled(): Promise<void> {
    while (this.#finishing.size > 0) await Promise.all([...this.#finishing].map(({ done }) => done));
  }

  /** Whether frames wait for one before them. */
  get waits(): boolean {
    return this.#intake.waits;
  }

  /** Whether results are to come of what was heard, with nothing more being said. */
  get isScoring(): boolean {
    return this.#finishing.size > 0 || this.#hasBacklog();
  }

  /** Passes on gaps whose wait is over; refuses when the model makes no progress. */
  tick(): Refusal | undefined {
    return this.#intake.release(this.#nowMs()) ?? this.#stalled();
  }

  restartWaits(): void {
    this.#intake.restartWaits(this.#nowMs());
  }

  /** What writes the transcript, where a policy decides it. */
  get transcription(): Pick<Transcription, 'backend' | 'scoresPhones'> | undefined {
    return this.#transcription;
  }

  checkpoint(): Checkpoint {
    return this.#intake.checkpoint();
  }

  /** Sound that the client may send at once beyond what is allowed, ms. */
  get replayMs(): number {
    return this.#replayMs;
  }

  /** Where its newest utterances began. */
  get places(): UtterancePlaces {
    return this.#places;
  }

  /** When the first frame came, on the server's clock. */
  get firstFrameMs(): number | undefined {
    return this.#intake.firstFrameMs;
  }

  /** The utterance that hears, or heard last. */
  current(): { id: number; reference: Reference } {
    return this.#latest;
  }

  /** Audio read and not yet scored, ms. */
  bufferedMs(): number {
    return this.#open ? Math.max(0, this.#options.clock.ms - this.#open.scoredMs) : 0;
  }

  /** Utterances of those who stay go before those of this session. */
  giveWay(): void {
    this.#givesWay = true;
    this.#open?.giveWay();
    for (const { utterance } of this.#finishing) utterance.giveWay();
  }

  close(): void {
    this.#open?.close();
    for (const ended of this.#finishing) ended.utterance.close();
    this.#open = undefined;
    this.#transcription?.close();
  }

  #hear(sound: Sound): void {
    this.#speech.push(sound.pcm);
    if (!this.#open) return;
    if (this.#transcription) this.#transcribe(this.#transcription, sound);
    this.#open.push(sound);
  }

  /** `frames` never came, which held `ms` of sound. */
  #skip(ms: number, frames: number): void {
    this.#speech.gap(ms);
    this.#open?.gap(ms);
    this.#options.context.metrics.lostFrames(frames);
    const message = `${frames} frames never came, ${Math.round(ms)} ms of sound; phones over it are unscored`;
    this.#options.outbox.send({ type: 'info', code: 'audio_gap', message, frames });
  }

  #begin(id: number, text: OpenText): Utterance {
    const { context, sessionId, clock, settings, outbox, onError, resumption, trace } = this.#options;
    const traceparent = trace?.utteranceBegun(id, this.#nowMs());
    this.#places.begun(id, text.input, this.#intake.place());
    const utterance = new Utterance({
      id,
      told: resumption?.told.get(id),
      transcription: this.#transcription,
      speaker: sessionId,
      canWait: this.#options.start.lane === 'batch',
      startMs: clock.ms,
      text,
      sound: this.#options.handOver?.newSound(),
      engine: context.engine,
      traceparent,
      open: this.#transcription?.scoresPhones === false ? openUnscored : context.scoring.openUtterance,
      outbox,
      settings,
      overload: context.overload,
      now: context.now,
      onError,
    });
    if (this.#givesWay) utterance.giveWay();
    return utterance;
  }

  #createTranscription(): Transcription | undefined {
    const { context, route, outbox, start } = this.#options;
    const { language, sampleRateHz } = context.engine.model;
    return (
      route &&
      new Transcription({
        route,
        sampleRateHz,
        scoresPhones: !route.isElsewhere && isSameLanguage(start.language, language),
        limits: context.limits,
        onLost: (message) => outbox.send({ type: 'info', code: 'transcript_lost', message }),
      })
    );
  }

  #transcribe(transcription: Transcription, { pcm, endMs }: Sound): void {
    const { sampleRateHz } = this.#options.context.engine.model;
    transcription.push(pcm, endMs - (pcm.length / sampleRateHz) * 1000);
  }

  /** What is open has had its final: the client says so. */
  #closeOpen(): void {
    this.#open?.close();
    this.#open = undefined;
    this.#places.finalSent(this.#latest.id, 0);
  }

  #finalSent({ id, scoredMs }: Utterance, final: FinalMessage | undefined): void {
    const { outbox, trace, onFinal, handOver } = this.#options;
    trace?.utteranceFinal(id, this.#nowMs());
    if (final) handOver?.finalSent(final, outbox.lastEventId, scoredMs);
    this.#places.finalSent(id, outbox.lastEventId);
    onFinal();
  }

  /** Whether the model has no more to do than with somebody who was here from the first. */
  #hasCaughtUp(bufferedMs: number): boolean {
    const { clock, resumption } = this.#options;
    return bufferedMs < settledBacklogMs && clock.ms >= (resumption?.from.clockMs ?? 0) + this.#replayMs;
  }

  /**
   * What makes progress is late at worst: an utterance that has ended may wait for long behind the
   * sound of others before its final is there.
   */
  #stalled(): Refusal | undefined {
    const { context } = this.#options;
    const nowMs = context.awake();
    follow(this.#progress, this.#open?.scoredMs ?? 0, nowMs);
    if (!this.#hasBacklog()) this.#progress.atMs = nowMs;
    let sinceMs = this.#progress.atMs;
    for (const { utterance, progress } of this.#finishing) {
      follow(progress, utterance.scoredMs, nowMs);
      sinceMs = Math.min(sinceMs, progress.atMs);
    }
    const { inferenceTimeoutMs, busyRetryMs } = context.limits;
    if (nowMs - sinceMs <= inferenceTimeoutMs) return undefined;
    const message = `the model made no progress for ${inferenceTimeoutMs} ms`;
    return { code: 'inference_timeout', message, retryAfterMs: busyRetryMs, limit: 'inferenceTimeoutMs' };
  }

  /** Whether more is unscored than what a result waits for. */
  #hasBacklog(): boolean {
    return this.bufferedMs() > this.#options.settings.emitIntervalMs + settledBacklogMs;
  }

  #nowMs(): number {
    return this.#options.context.now();
  }
}

/** How far an utterance is scored, and since when. */
type Progress = { scoredMs: number; atMs: number };

type Finishing = { utterance: Utterance; progress: Progress; done: Promise<void> };

function follow(progress: Progress, scoredMs: number, nowMs: number): void {
  if (progress.scoredMs === scoredMs) return;
  progress.scoredMs = scoredMs;
  progress.atMs = nowMs;
}

/**
 * Audio that may wait between two results without the model being late: look-ahead, chunk and
 * batching.
 */
const settledBacklogMs = 500;
