import type { Recorder } from '../../metrics/recorder.ts';
import type { Slice } from '../../metrics/slice.ts';
import type { TraceSink } from '../../metrics/traces.ts';
import type { ServerEvent } from '../../protocol/server-messages.ts';
import type { Objective } from '../../slo/objective/expression.ts';
import { type LearnerPlan, type LoadPhase, labelsOf, type UtterancePlan } from '../plan/learner-plan.ts';
import { BackendWatch } from './backend-watch.ts';
import { FeedbackMeter } from './feedback-meter.ts';
import { FrameTimes } from './frame-times.ts';
import { MissedFrames } from './missed-frames.ts';
import { PhaseSlices } from './phase-slices.ts';
import { InvariantWatch } from './protocol-invariants.ts';
import { SampleSink } from './sample-sink.ts';
import type { SpokenText } from './spoken-text.ts';
import { type ShownText, UtteranceMeter, type UtteranceTimes } from './utterance-meter.ts';

export type MeterOptions = {
  plan: LearnerPlan;
  /** Where speech begins in each clip, ms. */
  speechBeginMs: readonly number[];
  /**
   * Where the words of each clip end, ms, if that is known; undefined for a word that is not read.
   */
  wordEndsMs?: readonly (readonly (number | undefined)[])[];
  /** Whole frames in each clip, so that it is known who read one to its end; absent: all did. */
  clipFrames?: readonly number[];
  /** Present for a server that speaks another protocol than ours. */
  foreign?: Foreign;
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

/** What is known of a server that names no words by their places. */
export type Foreign = {
  /** How it says how far into the sound its messages reach. */
  reach: 'field' | 'replies' | 'words' | 'final';
  /** What each clip says. */
  texts: readonly SpokenText[];
};

/**
 * What a message of such a server tells. `coversMs`: how far it reaches on the session's sample
 * clock; absent where the server does not say.
 */
export type ForeignMessage = { coversMs?: number | undefined } & (
  | { is: 'ack' }
  /** `utterance`: its place in the plan. */
  | (ShownText & { utterance: number })
);

/** How a session ended, and what became of its frames. */
export type SessionOutcome = {
  outcome: Over | 'interrupted';
  sent: number;
  unacked: number;
  /** Frames that the app lost, of those that no acknowledgement has passed. */
  lostUnacked: number;
  resent: number;
};

type Over = 'closed' | 'refused' | 'sent_away' | 'lost';

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
  readonly #backend: BackendWatch;
  readonly #missed = new MissedFrames();
  #droppedAtMs: number | undefined;
  #firstUtteranceId: number | undefined;
  #over: Over | undefined;
  /** The server says how far it has heard: feedback on all of the sound is owed. */
  readonly #tellsReach: boolean;

  constructor(options: MeterOptions) {
    const { plan, recorder, startMs, warmupMs, objectives = [], loadPhases: phases = [] } = options;
    this.#options = options;
    const answers = answersOf(options.foreign);
    this.#tellsReach = answers === 'feedback_latency';
    const slices = new PhaseSlices(recorder, labelsOf(plan), { phases, startMs, beginMs: startMs + plan.arrivalMs });
    this.#slice = slices.first;
    this.#sink = new SampleSink(slices, objectives, startMs + warmupMs, answers);
    this.#backend = new BackendWatch(recorder, slices.first.tally, startMs + warmupMs);
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
        if (event.late) {
          // What the session owed while it lasted never came.
          this.#slice.tally.late_finals += 1;
          break;
        }
        // A final's timing is of the whole utterance: no part of this latency.
        this.#feedback.cover(event.audio_ms, receivedMs, {}, downlinkMs);
        this.#backend.final(event.backend);
        if (!utterance) break;
        this.#backend.finalTook(utterance.endMs, receivedMs);
        this.#slice.tally.utterances += 1;
        this.#final(place, utterance, (meter) => meter.final(event, receivedMs, this.#feedback.soundMs), true);
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
        if (event.type === 'ready') this.#backend.ready(event);
        this.#missed.hear(event);
        if (event.type === 'info' && event.code === 'transcript_lost') this.#backend.lost();
    }
    return broken;
  }

  /** A server of another protocol takes sound. */
  ready(receivedMs: number): void {
    this.#sink.checked(0);
    this.#ready(0, receivedMs);
  }

  /** A message of such a server came; a final covers all of its utterance. */
  heard(message: ForeignMessage, receivedMs: number, downlinkMs?: number): void {
    if (this.#frameTimes.unreported >= framesAtOnce) this.#reportFrames();
    const cover = (coversMs: number | undefined) => {
      if (this.#tellsReach && coversMs !== undefined) this.#feedback.cover(coversMs, receivedMs, {}, downlinkMs);
    };
    if (message.is === 'ack') {
      this.#sink.checked(0);
      cover(message.coversMs);
      return;
    }
    const { utterance: place } = message;
    const utterance = this.#utterance(place);
    this.#sink.checked(0, utterance?.score);
    const isFinal = message.is === 'final';
    cover(utterance && isFinal ? this.#feedback.endOf(place) : message.coversMs);
    if (!utterance) return;
    const onWord = this.#tellsReach
      ? undefined
      : (dueMs: number) => this.#feedback.word(place, dueMs, receivedMs, downlinkMs);
    const tell = (meter: UtteranceMeter) => meter.text(message, receivedMs, onWord);
    if (isFinal) {
      this.#slice.tally.utterances += 1;
      this.#final(place, utterance, tell, true);
    } else tell(utterance);
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
  over(outcome: Over, nowMs?: number): void {
    if (this.#over) return;
    this.#over = outcome;
    const { tally } = this.#slice;
    const { startMs, plan } = this.#options;
    tally.sessions += 1;
    if (outcome === 'refused') {
      tally.sessions_refused += 1;
      if (nowMs !== undefined) this.#attemptRefused(nowMs);
      this.#sink.never('connect_time', startMs + plan.arrivalMs);
    } else if (outcome === 'sent_away') tally.sessions_sent_away += 1;
    else if (outcome === 'closed' && this.settled) tally.sessions_ok += 1;
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
    else if (this.#tellsReach) this.#feedback.showOverdue(nowMs);
  }

  /** Closes the books: what was due by `untilMs` and never came is infinite. */
  end(untilMs: number, { outcome, sent, unacked, lostUnacked, resent }: SessionOutcome): void {
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
      // Only our own protocol says which frames came.
      tally.frames_acked += this.#options.foreign ? 0 : sent - unacked;
      tally.resent_frames += resent;
      // What the app has lost was missed, too.
      tally.lost_by_network += Math.max(0, this.#missed.count - (this.#lostFrames - lostUnacked));
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
    if (this.#tellsReach) this.#feedback.giveUp(untilMs);
    for (let place = 0; place < plan.utterances.length; place++) {
      if (this.#finals.has(place)) continue;
      if (this.#timesOf(plan.utterances[place]!).endMs > untilMs) break;
      this.#final(place, this.#utterance(place)!, (meter) => meter.end(), false);
    }
  }

  #final(place: number, utterance: UtteranceMeter, close: (meter: UtteranceMeter) => void, came: boolean): void {
    close(utterance);
    if (!this.#tellsReach) {
      const { beginMs, endMs } = this.#timesOf(this.#options.plan.utterances[place]!);
      this.#sink.sound(beginMs, endMs - beginMs, came);
    }
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
      meter = new UtteranceMeter(this.#timesOf(plan), this.#sink, this.#options.foreign?.texts[plan.clip]);
      this.#open.set(place, meter);
    }
    this.#heard = { place, meter };
    return meter;
  }

  #timesOf({ clip, beginMs, frames, gated = [], bargeIn }: UtterancePlan): UtteranceTimes {
    const { startMs, frameMs, speechBeginMs, clipFrames, foreign } = this.#options;
    const dueMs = startMs + beginMs;
    return {
      beginMs: dueMs,
      speechMs: dueMs + speechBeginMs[clip]!,
      endMs: dueMs + frames * frameMs,
      wordEndsMs: foreign?.texts[clip]?.endsMs ?? this.#options.wordEndsMs?.[clip] ?? [],
      whole: !bargeIn && frames >= (clipFrames?.[clip] ?? 0),
      heldBack: gated.map(([from, to]) => [dueMs + from * frameMs, dueMs + to * frameMs]),
    };
  }
}

/**
 * The latency of what a server owes at every moment: feedback on the sound, where it says how far
 * it has heard; else words, where it is known when they end; else finals.
 */
function answersOf(foreign: Foreign | undefined): 'feedback_latency' | 'word_latency' | 'final_latency' {
  if (!foreign || foreign.reach === 'field' || foreign.reach === 'replies') return 'feedback_latency';
  const known = foreign.texts.every(({ endsMs }) => endsMs.every((endMs) => endMs !== undefined));
  return known ? 'word_latency' : 'final_latency';
}

/** As many frames as are reported at once. */
const framesAtOnce = 16;
