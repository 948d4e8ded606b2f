import { type LatencyParts, reportStages, splitLatency, type Timing } from '../../metrics/latency-stages.ts';
import type { TraceOwner, TraceSink } from '../../metrics/traces.ts';
import type { LearnerPlan } from '../plan/learner-plan.ts';
import { type FeedbackInterval, FeedbackIntervals } from './feedback-intervals.ts';
import type { FrameTimes } from './frame-times.ts';
import type { PhaseSlices } from './phase-slices.ts';
import type { SampleSink } from './sample-sink.ts';
import type { UtteranceScore } from './session-score.ts';

type FeedbackOptions = {
  plan: LearnerPlan;
  startMs: number;
  frameMs: number;
  emitIntervalMs: number;
  warmupMs: number;
  traces: TraceSink;
};

/** Measures the feedback latency of one session, interval by interval, and splits it by stage. */
export class FeedbackMeter {
  /** Round trip of the newest ping. */
  roundTripMs = 0;
  /**
   * When a place on the session's sample clock was due to be spoken; the clock's end for what lies
   * beyond.
   */
  readonly soundMs: (audioMs: number) => number;
  readonly #options: FeedbackOptions;
  /** Beside the options what each feedback asks for. */
  readonly #frameMs: number;
  readonly #emitIntervalMs: number;
  readonly #startMs: number;
  readonly #traces: TraceSink;
  readonly #owner: TraceOwner;
  readonly #slices: PhaseSlices;
  readonly #sink: SampleSink;
  readonly #path: FrameTimes;
  readonly #scoreOf: (utterance: number) => UtteranceScore | undefined;
  readonly #intervals: FeedbackIntervals;
  /** Intervals that the live view counts as never, and that may come yet. */
  #shown = 0;

  /** `scoreOf`: of an utterance that is not over. */
  constructor(
    options: FeedbackOptions,
    slices: PhaseSlices,
    sink: SampleSink,
    path: FrameTimes,
    scoreOf: (utterance: number) => UtteranceScore | undefined,
  ) {
    const { plan, startMs, frameMs, emitIntervalMs } = options;
    this.#options = options;
    this.#frameMs = frameMs;
    this.#emitIntervalMs = emitIntervalMs;
    this.#startMs = startMs;
    this.#traces = options.traces;
    this.#owner = { session: `learner-${plan.learner}`, ...slices.labels };
    this.#slices = slices;
    this.#sink = sink;
    this.#scoreOf = scoreOf;
    this.#path = path;
    this.#intervals = new FeedbackIntervals(emitIntervalMs, frameMs);
    let endMs = startMs;
    for (const { beginMs, frames, gated = [] } of plan.utterances) {
      const heldBack = gated.map(([from, to]) => [from * frameMs, to * frameMs] as const);
      this.#intervals.add(startMs + beginMs, frames * frameMs, heldBack);
      endMs = startMs + beginMs + frames * frameMs;
    }
    this.soundMs = (audioMs) => this.#intervals.dueMs(audioMs) ?? endMs;
  }

  /** An event that covers `audioMs` of the session's sound came. */
  cover(audioMs: number, receivedMs: number, timing: Timing, downlinkMs: number | undefined): void {
    const frameMs = this.#frameMs;
    this.#intervals.cover(audioMs, receivedMs, (latencyMs, endMs, interval) => {
      if (!this.#record(interval, receivedMs)) return;
      // The frame that the server waited for last: what it took on its way is what the feedback
      // took.
      const frame = Math.round((endMs + (timing.window ?? 0)) / frameMs) - 1;
      this.#split({ ...interval, latencyMs, receivedMs, frame, captureMs: frameMs }, timing, downlinkMs);
    });
  }

  /**
   * A word of that utterance, whose sound ended at `dueMs`, is shown for the first time. Its
   * latency is split where a server does not say how far it has heard, so that this is what is
   * owed.
   */
  word(utterance: number, dueMs: number, receivedMs: number, downlinkMs: number | undefined): void {
    if (dueMs < this.#startMs + this.#options.warmupMs || receivedMs < dueMs) return;
    const { beginMs } = this.#options.plan.utterances[utterance]!;
    const [fromMs] = this.#intervals.span(utterance);
    const intoMs = dueMs - this.#startMs - beginMs;
    const frame = Math.max(0, Math.ceil((fromMs + intoMs) / this.#frameMs - 1e-6) - 1);
    // The rest of the frame in which the word ends.
    const captureMs = (frame + 1) * this.#frameMs - fromMs - intoMs;
    const word = { utterance, dueMs, latencyMs: receivedMs - dueMs, receivedMs, frame };
    this.#split({ ...word, captureMs }, {}, downlinkMs);
  }

  /** Where the utterance ends on the session's sample clock, ms. */
  endOf(utterance: number): number {
    return this.#intervals.span(utterance)[1];
  }

  /** Intervals whose sound was over by `untilMs` will never be covered. */
  giveUp(untilMs: number): void {
    this.#intervals.giveUp(untilMs, (interval) => this.#record(interval, Number.POSITIVE_INFINITY));
  }

  /** Counts intervals that have been overdue for long as never, in the live view alone. */
  showOverdue(nowMs: number): void {
    const { startMs, warmupMs } = this.#options;
    const overdue = this.#intervals.overdue(startMs + warmupMs, nowMs - longOverdueMs);
    if (overdue <= this.#shown) return;
    this.#slices.at(nowMs - longOverdueMs).showNever('feedback_latency', overdue - this.#shown);
    this.#shown = overdue;
  }

  #split(
    { dueMs, utterance, latencyMs, receivedMs, frame, captureMs }: Answer,
    timing: Timing,
    downlinkMs: number | undefined,
  ): void {
    const known = {
      captureMs,
      // How late a frame was that the app dropped is not known.
      lateSendMs: this.#path.lateMs(frame) || 0,
      roundTripMs: this.roundTripMs,
      uplinkMs: this.#path.uplinkMs(frame),
      downlinkMs,
      timing,
    };
    splitLatency(latencyMs, known, parts);
    this.#slices.at(dueMs).recordStages(parts);
    if (this.#traces.wants()) {
      this.#traces.keep(this.#owner, receivedMs - this.#startMs, latencyMs, parts, utterance);
    }
  }

  #record({ dueMs, utterance }: FeedbackInterval, receivedMs: number): boolean {
    const score = this.#scoreOf(utterance);
    const counted = this.#sink.record('feedback_latency', dueMs, receivedMs, score, this.#shown === 0);
    if (counted && this.#shown > 0) this.#shown -= 1;
    this.#sink.sound(dueMs, this.#emitIntervalMs, Number.isFinite(receivedMs));
    return counted;
  }
}

/** What came at last, and the frame of the session that the server had to wait for. */
type Answer = FeedbackInterval & { latencyMs: number; receivedMs: number; frame: number; captureMs: number };

/** One place for all: it is read before the next latency is split. */
const parts: LatencyParts = new Float64Array(reportStages.length);

/**
 * Feedback that is later than this is taken for lost by those who look at the test while it runs.
 */
const longOverdueMs = 10_000;
