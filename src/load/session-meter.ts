import type { ServerEvent } from '../protocol/server-messages.ts';
import type { PhonemeResult } from '../scoring/result.ts';
import { InvariantWatch } from './invariants.ts';
import { PathTimes } from './path-times.ts';
import { PhoneWatch } from './phones.ts';
import type { LearnerPlan } from './plan.ts';
import type { Recorder, ReportStage } from './recorder.ts';
import { FeedbackSlots } from './slots.ts';
import { splitLatency, type Timing } from './stages.ts';
import type { TraceSink } from './traces.ts';

export type MeterOptions = {
  plan: LearnerPlan;
  /** Where speech begins in each clip, ms. */
  speechBeginMs: readonly number[];
  /** The plan's 0 on the clock. */
  startMs: number;
  frameMs: number;
  emitIntervalMs: number;
  recorder: Recorder;
  traces: TraceSink;
  /** `frameCarried` will tell of each frame: the learner's network is simulated. */
  simulated?: boolean;
};

/** How a session ended, and what became of its frames. */
export type SessionOutcome = {
  outcome: 'closed' | 'refused' | 'lost' | 'interrupted';
  sent: number;
  unacked: number;
  resent: number;
};

type Reading = { dueMs: number; lengthMs: number; speechDueMs: number; phones: PhoneWatch };

/** Turns what happens in one session into measurements, all from due times. Pure: every time is handed in. */
export class SessionMeter {
  readonly #options: MeterOptions;
  readonly #slots: FeedbackSlots;
  readonly #watch = new InvariantWatch();
  readonly #readings: readonly Reading[];
  /** Readings without a first phone yet, and without a final yet. */
  readonly #silent: Set<Reading>;
  readonly #open: Set<Reading>;
  readonly #path: PathTimes;
  #frames = 0;
  #roundTripMs = 0;
  /** Of the event at hand, where it is known. */
  #downlinkMs: number | undefined;
  #droppedAtMs: number | undefined;
  #firstUtteranceId: number | undefined;

  constructor(options: MeterOptions) {
    this.#options = options;
    this.#path = new PathTimes(options.simulated ?? false);
    this.#slots = new FeedbackSlots(options.emitIntervalMs, options.frameMs);
    this.#readings = options.plan.utterances.map(({ clip, beginMs, frames }) => {
      const dueMs = options.startMs + beginMs;
      const lengthMs = frames * options.frameMs;
      this.#slots.add(dueMs, lengthMs);
      return { dueMs, lengthMs, speechDueMs: dueMs + options.speechBeginMs[clip]!, phones: new PhoneWatch() };
    });
    const speaking = this.#readings.filter((one) => one.dueMs + one.lengthMs - one.speechDueMs >= leastSpeechMs);
    this.#silent = new Set(speaking);
    this.#open = new Set(this.#readings);
  }

  /** Every utterance has its final. */
  get settled(): boolean {
    return this.#open.size === 0;
  }

  /** `place` of the frame among all of the session, those held back among them. */
  frameSent(dueMs: number, nowMs: number, place: number = this.#frames): void {
    this.#path.sent(place, dueMs, nowMs);
    this.#frames += 1;
    this.#options.recorder.distributions.send_lateness.record(nowMs - dueMs);
  }

  /** On a simulated network: the frame came to the server at `atMs`, and was really passed on `lateMs` after that. */
  frameCarried(place: number, atMs: number, lateMs: number): void {
    this.#path.carried(place, atMs, lateMs);
  }

  /** The app dropped a frame, because too much waited to be sent. */
  frameDropped(): void {
    this.#options.recorder.tally.dropped_by_app += 1;
  }

  roundTrip(ms: number): void {
    this.#roundTripMs = ms;
  }

  dropped(atMs: number): void {
    this.#droppedAtMs = atMs;
  }

  /** Records the event; the result is the protocol rules that it broke. */
  event(event: ServerEvent, receivedMs: number, downlinkMs?: number): string[] {
    const { recorder } = this.#options;
    this.#downlinkMs = downlinkMs;
    recorder.tally.events += 1;
    if (event.type === 'ready') this.#ready(event.utterance_id, receivedMs);
    if (event.type === 'phoneme_feedback') this.#feedback(event, receivedMs);
    if (event.type === 'utterance_final') this.#final(event, receivedMs);
    const broken = this.#watch.check(event, this.#frames);
    recorder.tally.violations += broken.length;
    return broken;
  }

  /** Closes the books: what was due by `untilMs` and never came is infinite. */
  end(untilMs: number, { outcome, sent, unacked, resent }: SessionOutcome): void {
    const { distributions, tally } = this.#options.recorder;
    distributions.feedback_latency.recordNever(this.#slots.missing(untilMs));
    const over = (reading: Reading) => reading.dueMs + reading.lengthMs <= untilMs;
    distributions.final_latency.recordNever([...this.#open].filter(over).length);
    distributions.first_partial.recordNever([...this.#silent].filter(over).length);
    if (this.#droppedAtMs !== undefined && outcome === 'lost') distributions.resume_time.recordNever(1);
    if (outcome === 'interrupted') return;
    tally.sessions += 1;
    if (outcome === 'refused') {
      distributions.connect_time.recordNever(1);
      tally.sessions_refused += 1;
      return;
    }
    tally.frames_sent += sent;
    tally.lost_frames += unacked;
    tally.resent_frames += resent;
    if (outcome === 'closed' && this.settled) tally.sessions_ok += 1;
    else tally.sessions_died += 1;
  }

  #ready(utteranceId: number, receivedMs: number): void {
    const { recorder, plan, startMs } = this.#options;
    if (this.#firstUtteranceId === undefined) {
      this.#firstUtteranceId = utteranceId;
      recorder.distributions.connect_time.record(receivedMs - startMs - plan.arrivalMs);
    } else if (this.#droppedAtMs !== undefined) {
      recorder.distributions.resume_time.record(receivedMs - this.#droppedAtMs);
      this.#droppedAtMs = undefined;
    }
  }

  #feedback(event: Extract<ServerEvent, { type: 'phoneme_feedback' }>, receivedMs: number): void {
    this.#cover(event.audio_ms, receivedMs, event.timing);
    const reading = this.#readingOf(event.utterance_id);
    if (reading) this.#phones(reading, event.phonemes, receivedMs);
  }

  #final(event: Extract<ServerEvent, { type: 'utterance_final' }>, receivedMs: number): void {
    const { distributions, tally } = this.#options.recorder;
    // A final's timing is of the whole utterance: no part of this latency.
    this.#cover(event.audio_ms, receivedMs, {});
    const reading = this.#readingOf(event.utterance_id);
    if (!reading || !this.#open.delete(reading)) return;
    tally.utterances += 1;
    distributions.final_latency.record(receivedMs - reading.dueMs - reading.lengthMs);
    const phonemes = event.words.flatMap((word) => word.phonemes);
    this.#phones(reading, phonemes, receivedMs);
    const dueMs = (audioMs: number) => this.#slots.dueMs(audioMs) ?? reading.dueMs + reading.lengthMs;
    reading.phones.settle(phonemes, dueMs, (firstMs, finalMs) => {
      distributions.phoneme_latency.record(firstMs);
      distributions.phoneme_final_latency.record(finalMs);
    });
  }

  #phones(reading: Reading, phonemes: readonly PhonemeResult[], receivedMs: number): void {
    if (phonemes.length > 0 && this.#silent.delete(reading)) {
      this.#options.recorder.distributions.first_partial.record(receivedMs - reading.speechDueMs);
    }
    reading.phones.see(phonemes, receivedMs);
  }

  #cover(audioMs: number, receivedMs: number, timing: Timing): void {
    const { recorder, traces, frameMs, startMs, plan } = this.#options;
    this.#slots.cover(audioMs, receivedMs, (latencyMs, endMs) => {
      recorder.distributions.feedback_latency.record(latencyMs);
      const { lateMs, uplinkMs } = this.#path.of(Math.round(endMs / frameMs) - 1);
      const network = { roundTripMs: this.#roundTripMs, uplinkMs, downlinkMs: this.#downlinkMs };
      const known = { captureMs: frameMs, lateSendMs: lateMs, ...network, timing };
      const parts = splitLatency(latencyMs, known);
      for (const stage of Object.keys(parts) as ReportStage[]) recorder.stages[stage].record(parts[stage]);
      traces.add(() => ({
        at_ms: round(receivedMs - startMs),
        session: `learner-${plan.learner}`,
        profile: 'direct',
        language: 'en-US',
        total_ms: round(latencyMs),
        stages: Object.fromEntries(Object.entries(parts).map(([stage, ms]) => [stage, round(ms)])),
      }));
    });
  }

  #readingOf(utteranceId: number): Reading | undefined {
    return this.#readings[utteranceId - (this.#firstUtteranceId ?? 0)];
  }
}

/** An utterance that the end of the test cuts shorter than this owes no first partial. */
const leastSpeechMs = 500;

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
