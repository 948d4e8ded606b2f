import type { Voice } from '../../client/app-session.ts';
import { type Clock, idle, type Timers, type WheelTask } from '../../clock/wheel.ts';
import type { LearnerPlan, UtterancePlan } from '../plan/learner-plan.ts';
import type { Clip } from '../scenario/clips.ts';
import type { FrameLoss } from './frame-loss.ts';

export type SpeechContext<Sound> = {
  clips: readonly Clip[];
  /** The clips cut into frames. */
  sounds: readonly Sound[];
  frameMs: number;
  /** The plan's 0 on the clock. */
  startMs: number;
  clock: Clock;
  timers: Timers;
};

/** What is reported of each frame, in order. */
export type FrameMeter = {
  frameSent(dueMs: number, nowMs: number): void;
  /** Voice activity detection held it back. */
  frameHeldBack(): void;
  /** The app dropped it, because too much waited to be sent. */
  frameDropped(): void;
  /** The app lost it before it was sent: a fault of the test. */
  frameLost(): void;
};

/** Everything one learner says, each frame when its last sample is due. */
export class Speech<Sound> implements WheelTask {
  slot = idle;
  readonly #utterances: readonly UtterancePlan[];
  readonly #context: SpeechContext<Sound>;
  readonly #client: Voice<Sound>;
  readonly #loss: FrameLoss;
  readonly #meter: FrameMeter;
  readonly #onOver: () => void;
  /**
   * The utterance that is being spoken, its sound, the frame of it that is due next (-1: it has yet
   * to begin), and when.
   */
  #index = 0;
  #utterance: UtterancePlan | undefined;
  #sound: Sound | undefined;
  #frame = -1;
  #dueMs = 0;

  /** `onOver`: the last frame of the last utterance is spoken. */
  constructor(
    plan: LearnerPlan,
    context: SpeechContext<Sound>,
    client: Voice<Sound>,
    loss: FrameLoss,
    meter: FrameMeter,
    onOver: () => void,
  ) {
    this.#utterances = plan.utterances;
    this.#context = context;
    this.#client = client;
    this.#loss = loss;
    this.#meter = meter;
    this.#onOver = onOver;
    this.#wait();
  }

  /** The wheel's call. */
  run(): void {
    if (this.#client.ended || this.#client.leftMs !== undefined) return;
    if (this.#frame < 0) this.#begin();
    else this.#speak(this.#utterance!, this.#sound!);
  }

  #begin(): void {
    const { clips, sounds } = this.#context;
    const utterance = this.#utterances[this.#index]!;
    if (this.#index > 0) this.#client.nextUtterance({ text: clips[utterance.clip]!.text });
    this.#utterance = utterance;
    this.#sound = sounds[utterance.clip]!;
    this.#frame = 0;
    this.#wait();
  }

  #speak(utterance: UtterancePlan, sound: Sound): void {
    if (utterance.gated && isGated(utterance.gated, this.#frame)) {
      this.#client.skipAudio(sound);
      this.#meter.frameHeldBack();
    } else if (this.#loss.takes(this.#dueMs)) {
      this.#client.loseAudio(sound, this.#frame);
      this.#meter.frameLost();
    } else if (this.#client.sendAudio(sound, this.#frame)) {
      this.#meter.frameSent(this.#dueMs, this.#context.clock());
    } else this.#meter.frameDropped();
    this.#frame += 1;
    if (this.#frame < utterance.frames) {
      this.#waitFor(utterance);
      return;
    }
    this.#end(utterance);
    if (this.#index < this.#utterances.length) this.#wait();
    else this.#onOver();
  }

  /** A learner who breaks off sends no end: the next utterance ends this one. */
  #end(utterance: UtterancePlan): void {
    const last = this.#index === this.#utterances.length - 1;
    if (!utterance.bargeIn || last) this.#client.finalize(`utterance-${this.#index}`);
    this.#index += 1;
    this.#frame = -1;
  }

  #wait(): void {
    this.#waitFor(this.#utterances[this.#index]!);
  }

  #waitFor({ beginMs }: UtterancePlan): void {
    const { timers, startMs, frameMs } = this.#context;
    this.#dueMs = startMs + beginMs + (this.#frame + 1) * frameMs;
    timers.schedule(this, this.#dueMs);
  }
}

function isGated(gated: NonNullable<UtterancePlan['gated']>, frame: number): boolean {
  return gated.some(([from, to]) => frame >= from && frame < to);
}
