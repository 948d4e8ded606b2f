import { PathTimes } from './path-times.ts';
import type { LearnerPlan } from './plan.ts';
import type { SampleSink } from './sample-sink.ts';
import type { UtteranceScore } from './session-score.ts';
import { FeedbackSlots, type Slot } from './slots.ts';
import type { StageSlices } from './stage-slices.ts';
import { splitLatency, type Timing } from './stages.ts';
import type { TraceSink } from './traces.ts';

type FeedbackOptions = {
  plan: LearnerPlan;
  startMs: number;
  frameMs: number;
  emitIntervalMs: number;
  warmupMs: number;
  traces: TraceSink;
  simulated?: boolean;
};

/** Measures the feedback latency of one session, slot by slot, and splits it over the stages. */
export class FeedbackMeter {
  readonly path: PathTimes;
  /** Of the newest ping. */
  roundTripMs = 0;
  /** When a place on the session's sample clock was due to be spoken; the clock's end for what lies beyond. */
  readonly soundMs: (audioMs: number) => number;
  readonly #options: FeedbackOptions;
  readonly #slices: StageSlices;
  readonly #sink: SampleSink;
  readonly #scoreOf: (utterance: number) => UtteranceScore | undefined;
  readonly #slots: FeedbackSlots;
  /** Slots that the live view counts as never, and that may come yet. */
  #shown = 0;

  /** `scoreOf`: of an utterance that is not over. */
  constructor(
    options: FeedbackOptions,
    slices: StageSlices,
    sink: SampleSink,
    scoreOf: (utterance: number) => UtteranceScore | undefined,
  ) {
    const { plan, startMs, frameMs, emitIntervalMs, simulated = false } = options;
    this.#options = options;
    this.#slices = slices;
    this.#sink = sink;
    this.#scoreOf = scoreOf;
    this.path = new PathTimes(simulated);
    this.#slots = new FeedbackSlots(emitIntervalMs, frameMs);
    let endMs = startMs;
    for (const { beginMs, frames, gated = [] } of plan.utterances) {
      const heldBack = gated.map(([from, to]) => [from * frameMs, to * frameMs] as const);
      this.#slots.add(startMs + beginMs, frames * frameMs, heldBack);
      endMs = startMs + beginMs + frames * frameMs;
    }
    this.soundMs = (audioMs) => this.#slots.dueMs(audioMs) ?? endMs;
  }

  /** An event that covers `audioMs` of the session's sound came. */
  cover(audioMs: number, receivedMs: number, timing: Timing, downlinkMs: number | undefined): void {
    const { frameMs } = this.#options;
    this.#slots.cover(audioMs, receivedMs, (latencyMs, endMs, slot) => {
      if (!this.#record(slot, receivedMs)) return;
      const { lateMs, uplinkMs } = this.path.of(Math.round(endMs / frameMs) - 1);
      const network = { roundTripMs: this.roundTripMs, uplinkMs, downlinkMs };
      const parts = splitLatency(latencyMs, { captureMs: frameMs, lateSendMs: lateMs, ...network, timing });
      this.#slices.at(slot.dueMs).recordStages(parts);
      this.#trace(receivedMs, latencyMs, parts);
    });
  }

  /** Slots whose sound was over by `untilMs` will never be covered. */
  giveUp(untilMs: number): void {
    this.#slots.giveUp(untilMs, (slot) => this.#record(slot, Number.POSITIVE_INFINITY));
  }

  /** Counts slots that have been overdue for long as never, in the live view alone. */
  showOverdue(nowMs: number): void {
    const { startMs, warmupMs } = this.#options;
    const overdue = this.#slots.overdue(startMs + warmupMs, nowMs - longOverdueMs);
    if (overdue <= this.#shown) return;
    this.#slices
      .at(nowMs - longOverdueMs)
      .live.of('feedback_latency')
      .recordNever(overdue - this.#shown);
    this.#shown = overdue;
  }

  #record({ dueMs, utterance }: Slot, receivedMs: number): boolean {
    const { emitIntervalMs } = this.#options;
    const score = this.#scoreOf(utterance);
    const counted = this.#sink.record('feedback_latency', dueMs, receivedMs, score, this.#shown === 0);
    if (counted && this.#shown > 0) this.#shown -= 1;
    this.#sink.sound(dueMs, emitIntervalMs, Number.isFinite(receivedMs));
    return counted;
  }

  #trace(receivedMs: number, latencyMs: number, parts: Readonly<Record<string, number>>): void {
    const { plan, startMs, traces } = this.#options;
    traces.add(() => ({
      at_ms: round(receivedMs - startMs),
      session: `learner-${plan.learner}`,
      ...this.#slices.labels,
      total_ms: round(latencyMs),
      stages: Object.fromEntries(Object.entries(parts).map(([stage, ms]) => [stage, round(ms)])),
    }));
  }
}

/** Feedback that is later than this is taken for lost by those who look at the test while it runs. */
const longOverdueMs = 10_000;

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
