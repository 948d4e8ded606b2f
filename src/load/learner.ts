import { createRandom } from '../sim/random.ts';
import { type ClientEnd, StreamClient } from './client.ts';
import type { Clip } from './clips.ts';
import { framePcm } from './frames.ts';
import type { LearnerPlan, UtterancePlan } from './plan.ts';
import type { Recorder } from './recorder.ts';
import { SessionMeter, type SessionOutcome } from './session-meter.ts';
import type { TraceSink } from './traces.ts';
import type { Clock, Timers } from './wheel.ts';

/** What all learners of a shard share. */
export type LearnerContext = {
  url: string;
  token: string | undefined;
  clips: readonly Clip[];
  frameMs: number;
  emitIntervalMs: number;
  /** Samples that were due within this time from the plan's 0 are not measured. */
  warmupMs: number;
  seed: number;
  /** The plan's 0 on the clock. */
  startMs: number;
  clock: Clock;
  timers: Timers;
  recorder: Recorder;
  traces: TraceSink;
  /** What a person should read about a session that went wrong. */
  onTrouble(text: string): void;
};

/**
 * One person with the app: connects at the planned time, then speaks on an absolute schedule; frame i of an utterance goes
 * out when its last sample is due, whatever the server does.
 */
export class Learner {
  /** Resolves when the session is over. */
  readonly done: Promise<void>;
  readonly #plan: LearnerPlan;
  readonly #context: LearnerContext;
  readonly #meter: SessionMeter;
  #client: StreamClient | undefined;
  #end: ClientEnd | undefined;
  #spoken = false;
  #resolveDone!: () => void;

  constructor(plan: LearnerPlan, context: LearnerContext) {
    this.#plan = plan;
    this.#context = context;
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve;
    });
    const speechBeginMs = context.clips.map((clip) => clip.speechBeginMs);
    this.#meter = new SessionMeter({ ...context, plan, speechBeginMs });
    context.timers.at(context.startMs + plan.arrivalMs, () => this.#arrive());
  }

  /** Ends the session if it has not ended, and closes its books: what was due by `untilMs` and never came is infinite. */
  finish(untilMs: number, interrupted: boolean): void {
    this.#client?.abort('the test is over');
    const { sent = 0, unacked = 0, resent = 0 } = this.#client ?? {};
    const outcome: SessionOutcome['outcome'] = interrupted ? 'interrupted' : (this.#end?.outcome ?? 'refused');
    this.#meter.end(untilMs, { outcome, sent, unacked, resent });
  }

  #arrive(): void {
    const { url, token, clips, frameMs, emitIntervalMs, clock, timers, seed } = this.#context;
    const first = this.#plan.utterances[0];
    if (this.#end) return;
    if (!first) {
      this.#over({ outcome: 'closed', code: 1000, reason: 'nothing to say before the test ends' });
      return;
    }
    const clip = clips[first.clip]!;
    this.#client = new StreamClient({
      url,
      ...(token === undefined ? {} : { token }),
      start: {
        audio: { encoding: 'pcm_s16le', sample_rate: clip.sampleRateHz, channels: 1, frame_ms: frameMs },
        language: this.#plan.language,
        reference: { text: clip.text },
        emit_interval_ms: emitIntervalMs,
      },
      clock,
      timers,
      // A stream of its own: reconnects must not shift the plan's random numbers.
      random: createRandom(seed, 0x8000_0000 + this.#plan.learner),
      onEvent: (event, receivedMs) => {
        for (const broken of this.#meter.event(event, receivedMs)) this.#trouble(broken);
        if (event.type === 'error') this.#trouble(`${event.code}: ${event.message}`);
        this.#closeWhenSettled();
      },
      onGarbage: (message) => {
        this.#meter.garbage();
        this.#trouble(`not a speechfb.v1 event: ${message}`);
      },
      onDropped: (atMs) => this.#meter.dropped(atMs),
      onEnd: (end) => this.#over(end),
    });
    this.#pingEachSecond();
    this.#speak(0);
  }

  /** The utterance's frames, each at its own due time; then the next utterance, at its due time. */
  #speak(index: number): void {
    const utterance = this.#plan.utterances[index];
    if (!utterance) {
      this.#spoken = true;
      this.#closeWhenSettled();
      return;
    }
    const { timers, startMs, clips } = this.#context;
    timers.at(startMs + utterance.beginMs, () => {
      if (index > 0) this.#client?.nextUtterance({ text: clips[utterance.clip]!.text });
      this.#sendFrame(index, utterance, 0);
    });
  }

  #sendFrame(index: number, utterance: UtterancePlan, frame: number): void {
    if (this.#end) return;
    const { timers, clock, startMs, frameMs, clips } = this.#context;
    if (frame === utterance.frames) {
      this.#client?.finalize(`utterance-${index}`);
      this.#speak(index + 1);
      return;
    }
    const dueMs = startMs + utterance.beginMs + (frame + 1) * frameMs;
    timers.at(dueMs, () => {
      if (this.#end) return;
      this.#client?.sendAudio(framePcm(clips[utterance.clip]!, frame, frameMs));
      this.#meter.frameSent(dueMs, clock());
      this.#sendFrame(index, utterance, frame + 1);
    });
  }

  #pingEachSecond(): void {
    const { timers, clock } = this.#context;
    timers.at(clock() + 1000, () => {
      if (this.#end) return;
      this.#client?.ping((ms) => this.#meter.roundTrip(ms));
      this.#pingEachSecond();
    });
  }

  #closeWhenSettled(): void {
    if (this.#spoken && this.#meter.settled && !this.#end) this.#client?.close();
  }

  #over(end: ClientEnd): void {
    this.#end = end;
    if (end.outcome !== 'closed') this.#trouble(`${end.outcome}: ${end.reason || 'no reason'} (${end.code})`);
    this.#resolveDone();
  }

  #trouble(text: string): void {
    this.#context.onTrouble(text);
  }
}
