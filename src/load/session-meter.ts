import type { ServerEvent } from '../protocol/server-messages.ts';
import type { PhonemeResult } from '../scoring/result.ts';
import type { DistributionName, Labels } from '../slo/metrics.ts';
import { InvariantWatch } from './invariants.ts';
import { PathTimes } from './path-times.ts';
import { PhoneWatch } from './phones.ts';
import { type LearnerPlan, labelsOf } from './plan.ts';
import type { Recorder } from './recorder.ts';
import type { Slice } from './slice.ts';
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
  /** What was due within this time from the plan's 0 is not measured. */
  warmupMs: number;
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
  readonly #slice: Slice;
  readonly #labels: Labels;
  /** What was due before is not measured. */
  readonly #fromMs: number;
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
    this.#labels = labelsOf(options.plan);
    this.#slice = options.recorder.slice(this.#labels);
    this.#fromMs = options.startMs + options.warmupMs;
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
    this.#record('send_lateness', dueMs, nowMs);
  }

  /** On a simulated network: the frame came to the server at `atMs`, and was really passed on `lateMs` after that. */
  frameCarried(place: number, atMs: number, lateMs: number): void {
    this.#path.carried(place, atMs, lateMs);
  }

  /** The app dropped a frame, because too much waited to be sent. */
  frameDropped(): void {
    this.#slice.tally.dropped_by_app += 1;
  }

  roundTrip(ms: number): void {
    this.#roundTripMs = ms;
  }

  dropped(atMs: number): void {
    this.#droppedAtMs = atMs;
  }

  /** Records the event; the result is the protocol rules that it broke. */
  event(event: ServerEvent, receivedMs: number, downlinkMs?: number): string[] {
    this.#downlinkMs = downlinkMs;
    this.#slice.tally.events += 1;
    if (event.type === 'ready') this.#ready(event.utterance_id, receivedMs);
    if (event.type === 'phoneme_feedback') this.#feedback(event, receivedMs);
    if (event.type === 'utterance_final') this.#final(event, receivedMs);
    const broken = this.#watch.check(event, this.#frames);
    this.#slice.tally.violations += broken.length;
    return broken;
  }

  /** A message that is no event at all. */
  garbage(): void {
    this.#slice.tally.violations += 1;
  }

  /** Closes the books: what was due by `untilMs` and never came is infinite. */
  end(untilMs: number, { outcome, sent, unacked, resent }: SessionOutcome): void {
    const { startMs, plan } = this.#options;
    this.#slots.missing(untilMs, (dueMs) => this.#never('feedback_latency', dueMs));
    const over = (reading: Reading) => endOf(reading) <= untilMs;
    for (const reading of [...this.#open].filter(over)) this.#never('final_latency', endOf(reading));
    for (const reading of [...this.#silent].filter(over)) this.#never('first_partial', reading.speechDueMs);
    if (this.#droppedAtMs !== undefined && outcome === 'lost') this.#never('resume_time', this.#droppedAtMs);
    if (outcome === 'interrupted') return;
    const { tally } = this.#slice;
    tally.sessions += 1;
    if (outcome === 'refused') {
      this.#never('connect_time', startMs + plan.arrivalMs);
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
    const { plan, startMs } = this.#options;
    if (this.#firstUtteranceId === undefined) {
      this.#firstUtteranceId = utteranceId;
      this.#record('connect_time', startMs + plan.arrivalMs, receivedMs);
    } else if (this.#droppedAtMs !== undefined) {
      this.#record('resume_time', this.#droppedAtMs, receivedMs);
      this.#droppedAtMs = undefined;
    }
  }

  #feedback(event: Extract<ServerEvent, { type: 'phoneme_feedback' }>, receivedMs: number): void {
    this.#cover(event.audio_ms, receivedMs, event.timing);
    const reading = this.#readingOf(event.utterance_id);
    if (reading) this.#phones(reading, event.phonemes, receivedMs);
  }

  #final(event: Extract<ServerEvent, { type: 'utterance_final' }>, receivedMs: number): void {
    // A final's timing is of the whole utterance: no part of this latency.
    this.#cover(event.audio_ms, receivedMs, {});
    const reading = this.#readingOf(event.utterance_id);
    if (!reading || !this.#open.delete(reading)) return;
    this.#slice.tally.utterances += 1;
    this.#record('final_latency', endOf(reading), receivedMs);
    const phonemes = event.words.flatMap((word) => word.phonemes);
    this.#phones(reading, phonemes, receivedMs);
    const soundMs = (audioMs: number) => this.#slots.dueMs(audioMs) ?? endOf(reading);
    reading.phones.settle(phonemes, soundMs, (dueMs, firstMs, finalMs) => {
      this.#record('phoneme_latency', dueMs, firstMs);
      this.#record('phoneme_final_latency', dueMs, finalMs);
    });
  }

  #phones(reading: Reading, phonemes: readonly PhonemeResult[], receivedMs: number): void {
    if (phonemes.length > 0 && this.#silent.delete(reading)) {
      this.#record('first_partial', reading.speechDueMs, receivedMs);
    }
    reading.phones.see(phonemes, receivedMs);
  }

  #cover(audioMs: number, receivedMs: number, timing: Timing): void {
    const { traces, frameMs, startMs, plan } = this.#options;
    this.#slots.cover(audioMs, receivedMs, (latencyMs, endMs) => {
      if (!this.#record('feedback_latency', receivedMs - latencyMs, receivedMs)) return;
      const { lateMs, uplinkMs } = this.#path.of(Math.round(endMs / frameMs) - 1);
      const network = { roundTripMs: this.#roundTripMs, uplinkMs, downlinkMs: this.#downlinkMs };
      const known = { captureMs: frameMs, lateSendMs: lateMs, ...network, timing };
      const parts = splitLatency(latencyMs, known);
      this.#slice.recordStages(parts);
      traces.add(() => ({
        at_ms: round(receivedMs - startMs),
        session: `learner-${plan.learner}`,
        ...this.#labels,
        total_ms: round(latencyMs),
        stages: Object.fromEntries(Object.entries(parts).map(([stage, ms]) => [stage, round(ms)])),
      }));
    });
  }

  /** Records a latency unless it was due in the warm-up; whether it did. One that is negative counts as 0. */
  #record(name: DistributionName, dueMs: number, receivedMs: number): boolean {
    if (dueMs < this.#fromMs) return this.#warmedUp();
    this.#slice.record(name, receivedMs - dueMs);
    return true;
  }

  #never(name: DistributionName, dueMs: number): void {
    if (dueMs < this.#fromMs) this.#warmedUp();
    else this.#slice.recordNever(name);
  }

  #warmedUp(): false {
    this.#slice.tally.warmup_samples += 1;
    return false;
  }

  #readingOf(utteranceId: number): Reading | undefined {
    return this.#readings[utteranceId - (this.#firstUtteranceId ?? 0)];
  }
}

function endOf({ dueMs, lengthMs }: Reading): number {
  return dueMs + lengthMs;
}

/** An utterance that the end of the test cuts shorter than this owes no first partial. */
const leastSpeechMs = 500;

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
