import type { StreamClient } from './client.ts';
import type { Clip } from './clips.ts';
import type { SoundFrames } from './frames.ts';
import type { LearnerPlan, UtterancePlan } from './plan.ts';
import { type Clock, idle, type Timers, type WheelTask } from './wheel.ts';

export type SpeechContext = {
  clips: readonly Clip[];
  /** The clips cut into frames. */
  sounds: readonly SoundFrames[];
  frameMs: number;
  /** The plan's 0 on the clock. */
  startMs: number;
  clock: Clock;
  timers: Timers;
};

/** What is told of each frame. */
export type FrameMeter = {
  /** `place` of the frame among all of the session, those held back among them. */
  frameSent(dueMs: number, nowMs: number, place: number): void;
  /** The app dropped a frame, because too much waited to be sent. */
  frameDropped(): void;
};

/** Everything one learner says, each frame when its last sample is due. */
export class Speech implements WheelTask {
  slot = idle;
  readonly #utterances: readonly UtterancePlan[];
  readonly #context: SpeechContext;
  readonly #client: StreamClient;
  readonly #meter: FrameMeter;
  readonly #onOver: () => void;
  /** The utterance that is being spoken, the frame of it that is due next (-1: it has yet to begin), and when. */
  #index = 0;
  #frame = -1;
  #dueMs = 0;
  #place = 0;

  /** `onOver`: the last frame of the last utterance is spoken. */
  constructor(plan: LearnerPlan, context: SpeechContext, client: StreamClient, meter: FrameMeter, onOver: () => void) {
    this.#utterances = plan.utterances;
    this.#context = context;
    this.#client = client;
    this.#meter = meter;
    this.#onOver = onOver;
    this.#wait();
  }

  /** The wheel's call. */
  run(): void {
    if (this.#client.ended) return;
    const utterance = this.#utterances[this.#index]!;
    if (this.#frame < 0) this.#begin(utterance);
    else this.#speak(utterance);
  }

  #begin(utterance: UtterancePlan): void {
    const { clips } = this.#context;
    if (this.#index > 0) this.#client.nextUtterance({ text: clips[utterance.clip]!.text });
    this.#frame = 0;
    this.#wait();
  }

  #speak(utterance: UtterancePlan): void {
    const { sounds, clock } = this.#context;
    const sound = sounds[utterance.clip]!;
    if (isGated(utterance, this.#frame)) this.#client.skipAudio(sound.bytesAFrame);
    else if (this.#client.sendAudio(sound.at(this.#frame))) this.#meter.frameSent(this.#dueMs, clock(), this.#place);
    else this.#meter.frameDropped();
    this.#place += 1;
    this.#frame += 1;
    if (this.#frame === utterance.frames) this.#end(utterance);
    if (this.#index < this.#utterances.length) this.#wait();
    else this.#onOver();
  }

  /** Who breaks off says nothing: the next utterance ends this one. */
  #end(utterance: UtterancePlan): void {
    const last = this.#index === this.#utterances.length - 1;
    if (!utterance.bargeIn || last) this.#client.finalize(`utterance-${this.#index}`);
    this.#index += 1;
    this.#frame = -1;
  }

  #wait(): void {
    const { timers, startMs, frameMs } = this.#context;
    const { beginMs } = this.#utterances[this.#index]!;
    this.#dueMs = startMs + beginMs + (this.#frame + 1) * frameMs;
    timers.schedule(this, this.#dueMs);
  }
}

function isGated({ gated }: UtterancePlan, frame: number): boolean {
  return gated?.some(([from, to]) => frame >= from && frame < to) ?? false;
}
