import type { HeardOfSession } from '../../client/dialect-connection.ts';
import type { Recorder } from '../../metrics/recorder.ts';
import type { Slice } from '../../metrics/slice.ts';
import type { TraceSink } from '../../metrics/traces.ts';
import type { ServerEvent } from '../../protocol/server-messages.ts';
import type { Objective } from '../../slo/objective/expression.ts';
import { type LearnerPlan, type LoadPhase, labelsOf, type UtterancePlan } from '../plan/learner-plan.ts';
import { FeedbackMeter } from './feedback-meter.ts';
import { FrameTimes } from './frame-times.ts';
import { PhaseSlices } from './phase-slices.ts';
import { InvariantWatch } from './protocol-invariants.ts';
import { SampleSink } from './sample-sink.ts';
import { UtteranceMeter, type UtteranceTimes } from './utterance-meter.ts';

export type MeterOptions = {
  plan: LearnerPlan;
  /** Where speech begins in each clip, ms. */
  speechBeginMs: readonly number[];
  /**
   * Where the words of each clip end, ms, if that is known; undefined for a word that is not read.
   */
  wordEndsMs?: readonly (readonly (number | undefined)[])[];
  /** The plan's 0 on the clock. */
  startMs: number;
  frameMs: number;
  emitIntervalMs: number;
  /** What was due within this time from the plan's 0 is not measured. */
  warmupMs: number;
  /** The phases of the load, if it has several. */
  loadPhases?: readonly LoadPhase[];
  /** What utterances and sessions are held against while they run. */
  objectives?: readonly Objective[];
  recorder: Recorder;
  traces: TraceSink;
  /** `frameCarried` will report each frame: the learner's network is simulated. */
  simulated?: boolean;
};

/** How a session ended, and what became of its frames. */
export type SessionOutcome = {
  outcome: 'closed' | 'refused' | 'lost' | 'interrupted';
  sent: number;
  unacked: number;
  resent: number;
};

/**
 * Turns what happens in one session into measurements, all from due times. Pure: every time is
 * handed in.
 */
export class SessionMeter {
  readonly #options: MeterOptions;
  /**
   * Slice of the load phase in which the session began; also takes samples that belong to no phase.
   */
  readonly #slice: Slice;
  readonly #sink: SampleSink;
  readonly #feedback: FeedbackMeter;
  readonly #frameTimes: FrameTimes;
  readonly #watch = new InvariantWatch();
  /** Utterances that have been heard of and have no final yet, by their place. */
  readonly #open = new Map<number, UtteranceMeter>();
  /** The utterance that was heard of last. */
  #heard: { place: number; meter: UtteranceMeter } | undefined;
  readonly #finals = new Set<number>();
  #droppedFrames = 0;
  #lostFrames = 0;
  #droppedAtMs: number | undefined;
  #firstUtteranceId: number | undefined;
  #over: 'closed' | 'refused' | 'lost' | undefined;

  constructor(options: MeterOptions) {
    const { plan, recorder, startMs, warmupMs, objectives = [], loadPhases: phases = [] } = options;
    this.#options = options;
    const slices = new PhaseSlices(recorder, labelsOf(plan), { phases, startMs, beginMs: startMs + plan.arrivalMs });
    this.#slice = slices.first;
    this.#sink = new SampleSink(slices, objectives, startMs + warmupMs);
    this.#frameTimes = new FrameTimes(options.simulated ?? false);
    this.#feedback = new FeedbackMeter(
      options,
      slices,
      this.#sink,
      this.#frameTimes,
      (place) => this.#utterance(place)?.score,
    );
  }

  /** True once every utterance has its final. */
  get settled(): boolean {
    return this.#finals.size === this.#options.plan.utterances.length;
  }

  /** What to report of each frame. */
  get frames(): FrameTimes {
    return this.#frameTimes;
  }

  /**
   * On a simulated network: the frame came to the server at `atMs`, and was really passed on
   * `lateMs` after that.
   */
  frameCarried(place: number, atMs: number, lateMs: number): void {
    this.#frameTimes.carried(place, atMs, lateMs);
  }

  roundTrip(ms: number): void {
    this.#feedback.roundTripMs = ms;
  }

  dropped(atMs: number): void {
    this.#droppedAtMs = atMs;
  }

  /**
   * Records the event; the result is the protocol rules that it broke. `downlinkMs`: on a simulated
   * network. `framesSent`: by the time that it came.
   */
  event(
    event: ServerEvent,
    receivedMs: number,
    downlinkMs?: number,
    framesSent: number = this.#frameTimes.sent,
  ): readonly string[] {
    if (this.#frameTimes.unreported >= framesAtOnce) this.#reportFrames();
    const broken = this.#watch.check(event, framesSent);
    switch (event.type) {
      case 'phoneme_feedback': {
        const utterance = this.#utterance(this.#placeOf(event.utterance_id));
        this.#sink.checked(broken.length, utterance?.score);
        this.#feedback.cover(event.audio_ms, receivedMs, event.timing, downlinkMs);
        utterance?.feedback(event.phonemes, receivedMs);
        break;
      }
      case 'utterance_final': {
        const place = this.#placeOf(event.utterance_id);
        const utterance = this.#utterance(place);
        this.#sink.checked(broken.length, utterance?.score);
        // A final's timing is of the whole utterance: no part of this latency.
        this.#feedback.cover(event.audio_ms, receivedMs, {}, downlinkMs);
        if (!utterance) break;
        this.#slice.tally.utterances += 1;
        this.#final(place, utterance, (meter) => meter.final(event.words, receivedMs, this.#feedback.soundMs));
        break;
      }
      case 'transcript': {
        const utterance = this.#utterance(this.#placeOf(event.utterance_id));
        this.#sink.checked(broken.length, utterance?.score);
        utterance?.transcript(event.words, receivedMs);
        break;
      }
      default:
        this.#sink.checked(broken.length);
        if (event.type === 'ready') this.#ready(event.utterance_id, receivedMs);
    }
    return broken;
  }

  /** A server of another dialect takes sound. */
  ready(receivedMs: number): void {
    this.#ready(0, receivedMs);
  }

  /** What a server of another dialect has told, its sound on the session's sample clock. */
  heard(heard: HeardOfSession, receivedMs: number, downlinkMs: number | undefined): void {
    if (this.#frameTimes.unreported >= framesAtOnce) this.#reportFrames();
    if (heard.coversMs !== undefined) this.#feedback.cover(heard.coversMs, receivedMs, {}, downlinkMs);
    if (heard.is === 'ack') return;
    const utterance = this.#utterance(heard.utterance);
    if (!utterance) return;
    if (heard.is === 'partial') {
      utterance.text(heard.text, receivedMs);
      return;
    }
    this.#slice.tally.utterances += 1;
    this.#final(heard.utterance, utterance, (meter) => meter.finalText(heard.text, receivedMs));
  }

  /** A message that is no event at all. */
  garbage(): void {
    this.#sink.checked(1);
  }

  /** The server refused this attempt, and the learner will come again; nothing more comes of it. */
  refused(nowMs: number): void {
    this.#attemptRefused(nowMs);
    this.#sink.close();
  }

  /** The session has ended, before the test may: what is still due will never come. */
  over(outcome: 'closed' | 'refused' | 'lost', nowMs?: number): void {
    if (this.#over) return;
    this.#over = outcome;
    const { tally } = this.#slice;
    const { startMs, plan } = this.#options;
    tally.sessions += 1;
    if (outcome === 'refused') {
      tally.sessions_refused += 1;
      if (nowMs !== undefined) this.#attemptRefused(nowMs);
      this.#sink.never('connect_time', startMs + plan.arrivalMs);
    } else if (outcome === 'closed' && this.settled) tally.sessions_ok += 1;
    else tally.sessions_died += 1;
    if (this.#droppedAtMs !== undefined && outcome === 'lost') this.#sink.never('resume_time', this.#droppedAtMs);
  }

  /**
   * Time has passed: a session that is over misses what becomes due; others show what is long
   * overdue.
   */
  tick(nowMs: number): void {
    this.#reportFrames();
    if (this.#over) this.#countMissed(nowMs);
    else this.#feedback.showOverdue(nowMs);
  }

  /** Closes the books: what was due by `untilMs` and never came is infinite. */
  end(untilMs: number, { outcome, sent, unacked, resent }: SessionOutcome): void {
    this.#reportFrames();
    const { tally } = this.#slice;
    const cut = outcome === 'interrupted' && !this.#over;
    if (outcome !== 'interrupted') this.over(outcome);
    // Sound that was kept for a session that never began was not sent.
    if (this.#firstUtteranceId !== undefined) {
      if (cut) tally.sessions_cut += 1;
      // What was on its way when the test was cut short is neither lost nor safe.
      const counted = cut ? sent - unacked : sent;
      tally.frames_sent += counted;
      tally.lost_frames += cut ? 0 : unacked;
      tally.frames_acked += sent - unacked;
      tally.resent_frames += resent;
      this.#sink.frames('lost_frames', cut ? 0 : unacked, counted);
      this.#sink.frames('resent_frames', resent, counted);
      this.#sink.frames('dropped_by_app', this.#droppedFrames, counted + this.#droppedFrames);
    }
    this.#countMissed(untilMs);
    this.#sink.close();
  }

  /**
   * The lateness of frames is reported some time after they were sent, many at once: to send one
   * then touches little.
   */
  #reportFrames(): void {
    const { frameMs } = this.#options;
    this.#frameTimes.report((place, lateMs) => {
      const dueMs = this.#feedback.soundMs((place + 1) * frameMs);
      this.#sink.record('send_lateness', dueMs, dueMs + lateMs);
    });
    this.#slice.tally.dropped_by_app += this.#frameTimes.dropped - this.#droppedFrames;
    this.#slice.tally.lost_by_app += this.#frameTimes.lost - this.#lostFrames;
    this.#droppedFrames = this.#frameTimes.dropped;
    this.#lostFrames = this.#frameTimes.lost;
  }

  #attemptRefused(nowMs: number): void {
    const { startMs, plan } = this.#options;
    this.#slice.tally.refusals += 1;
    this.#sink.record('refusal_time', startMs + plan.arrivalMs, nowMs);
  }

  #countMissed(untilMs: number): void {
    const { plan } = this.#options;
    this.#feedback.giveUp(untilMs);
    for (let place = 0; place < plan.utterances.length; place++) {
      if (this.#finals.has(place)) continue;
      if (this.#timesOf(plan.utterances[place]!).endMs > untilMs) break;
      this.#final(place, this.#utterance(place)!, (meter) => meter.end());
    }
  }

  #final(place: number, utterance: UtteranceMeter, close: (meter: UtteranceMeter) => void): void {
    close(utterance);
    this.#finals.add(place);
    this.#open.delete(place);
    this.#heard = undefined;
  }

  #ready(utteranceId: number, receivedMs: number): void {
    const { plan, startMs } = this.#options;
    if (this.#firstUtteranceId === undefined) {
      this.#firstUtteranceId = utteranceId;
      this.#sink.record('connect_time', startMs + plan.arrivalMs, receivedMs);
    } else if (this.#droppedAtMs !== undefined) {
      this.#sink.record('resume_time', this.#droppedAtMs, receivedMs);
      this.#droppedAtMs = undefined;
    }
  }

  #placeOf(utteranceId: number): number {
    return utteranceId - (this.#firstUtteranceId ?? 0);
  }

  /** The utterance at that place of the plan, until it has its final. */
  #utterance(place: number): UtteranceMeter | undefined {
    if (this.#heard?.place === place) return this.#heard.meter;
    const plan = this.#options.plan.utterances[place];
    if (!plan || this.#finals.has(place)) return undefined;
    let meter = this.#open.get(place);
    if (!meter) {
      meter = new UtteranceMeter(this.#timesOf(plan), this.#sink);
      this.#open.set(place, meter);
    }
    this.#heard = { place, meter };
    return meter;
  }

  #timesOf({ clip, beginMs, frames, gated = [] }: UtterancePlan): UtteranceTimes {
    const { startMs, frameMs, speechBeginMs } = this.#options;
    const dueMs = startMs + beginMs;
    return {
      beginMs: dueMs,
      speechMs: dueMs + speechBeginMs[clip]!,
      endMs: dueMs + frames * frameMs,
      wordEndsMs: this.#options.wordEndsMs?.[clip] ?? [],
      heldBack: gated.map(([from, to]) => [dueMs + from * frameMs, dueMs + to * frameMs]),
    };
  }
}

/** As many frames as are reported at once. */
const framesAtOnce = 16;
