import { AckSchedule, type AckTiming } from './ack-schedule.ts';
import type { AddOutcome } from './jitter-buffer.ts';
import type { Outbox } from './outbox.ts';
import { ackMessage } from './replies.ts';
import type { SessionAudio } from './session-audio.ts';

/** Tells a session's client which frames have been received, as often as the schedule allows. */
export class Acknowledger {
  readonly #schedule: AckSchedule;
  readonly #outbox: Outbox;
  readonly #audio: SessionAudio;
  readonly #now: () => number;
  readonly #isDurable: () => boolean;
  #hasHole = false;

  /** @param options `isDurable`: whether another gateway can go on with the session */
  constructor(options: {
    intervalMs: number;
    outbox: Outbox;
    audio: SessionAudio;
    now: () => number;
    isDurable: () => boolean;
  }) {
    this.#isDurable = options.isDurable;
    this.#schedule = new AckSchedule(options.intervalMs);
    this.#outbox = options.outbox;
    this.#audio = options.audio;
    this.#now = options.now;
  }

  /** A frame was received at `nowMs`: it is acknowledged when that is due. */
  frame(outcome: AddOutcome, nowMs: number): void {
    this.#schedule.frame();
    // A new hole is reported at once: the client may fill it before the wait for it is over.
    this.send(outcome === 'early' && !this.#hasHole ? 'at once' : 'timely', nowMs);
    this.#hasHole = outcome === 'early';
  }

  /** Whether one may be sent that has waited for its time. */
  isDue(nowMs: number): boolean {
    return this.#schedule.isDue(nowMs, 'timely');
  }

  /** Sends an acknowledgement if a socket is there and one is due. */
  send(how: AckTiming, nowMs = this.#now()): void {
    if (!this.#outbox.isAttached || !this.#schedule.due(nowMs, how)) return;
    this.#outbox.sendPassing(ackMessage(this.#audio, this.#isDurable()));
  }
}
