import type { AcousticEngine } from '../engine/types.ts';

/** What so many live streams at once felt of an engine. */
export type LiveLevel = {
  streams: number;
  /**
   * From the moment that the last sound a delivery needs was due to the delivery, ms; infinite
   * where so much never came.
   */
  p50Ms: number;
  p95Ms: number;
  /** Audio seconds answered a second. */
  throughput: number;
  /** False when this thread itself was too late with the sound to prove anything. */
  valid: boolean;
};

export type LiveOptions = {
  streams: number;
  /** How long is measured; the streams begin half a second before. */
  lengthMs: number;
  signal: AbortSignal;
};

/**
 * Opens `streams` streams on the engine, gives each its sound in chunks of 20 ms when they are due,
 * and says how late the engine's deliveries are. Streams begin spread over 100 ms, as learners do.
 * Undefined when it was aborted. Errors: those of the engine.
 */
export async function driveLive(engine: AcousticEngine, options: LiveOptions): Promise<LiveLevel | undefined> {
  const { streams, lengthMs, signal } = options;
  const sound = readAloud(engine.model.sampleRateHz);
  const startMs = performance.now() + startInMs;
  const measure = { fromMs: startMs + warmUpMs, untilMs: startMs + warmUpMs + lengthMs };
  let failure: Error | undefined;
  const learners = Array.from(
    { length: streams },
    (_, i) => new LiveStream(engine, sound, startMs + (100 * i) / streams, measure, (error) => (failure ??= error)),
  );
  const late: number[] = [];
  try {
    for (let nowMs = performance.now(); nowMs < measure.untilMs; nowMs = performance.now()) {
      if (signal.aborted) return undefined;
      if (failure) throw failure;
      for (const learner of learners) late.push(...learner.pushDue(nowMs));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } finally {
    for (const learner of learners) learner.close();
  }
  const delays = learners.flatMap((learner) => learner.delays(measure.untilMs)).sort((a, b) => a - b);
  const answeredMs = learners.reduce((sum, learner) => sum + learner.answeredMs, 0);
  late.sort((a, b) => a - b);
  return {
    streams,
    p50Ms: quantile(delays, 0.5),
    p95Ms: quantile(delays, 0.95),
    throughput: answeredMs / lengthMs,
    valid: quantile(late, 0.99) <= mostLateMs,
  };
}

/** One learner who reads without end. */
class LiveStream {
  /** Sound that was answered while it was measured, ms. */
  answeredMs = 0;
  readonly #stream: ReturnType<AcousticEngine['open']>;
  readonly #sound: Float32Array;
  readonly #startMs: number;
  readonly #chunkSamples: number;
  readonly #strideMs: number;
  /** How much sound behind a frame's end its answer needs. */
  readonly #aheadMs: number;
  readonly #delays: number[] = [];
  #pushed = 0;
  #answered = 0;

  constructor(
    engine: AcousticEngine,
    sound: Float32Array,
    startMs: number,
    measure: { fromMs: number; untilMs: number },
    onError: (error: Error) => void,
  ) {
    const { sampleRateHz, strideMs, lookaheadMs, features } = engine.model;
    this.#sound = sound;
    this.#startMs = startMs;
    this.#chunkSamples = Math.round((sampleRateHz * chunkMs) / 1000);
    this.#strideMs = strideMs;
    this.#aheadMs = lookaheadMs + features.windowMs - features.hopMs;
    this.#stream = engine.open(({ firstFrame, count }) => {
      const nowMs = performance.now();
      this.#answered = firstFrame + count;
      if (nowMs < measure.fromMs || nowMs > measure.untilMs) return;
      this.answeredMs += count * strideMs;
      this.#delays.push(nowMs - this.#dueMs(this.#answered));
    }, onError);
  }

  /** Pushes what is due; says how late each chunk is, ms. */
  pushDue(nowMs: number): number[] {
    const late: number[] = [];
    for (;;) {
      const dueMs = this.#startMs + (this.#pushed + 1) * chunkMs;
      if (dueMs > nowMs) return late;
      const at = (this.#pushed * this.#chunkSamples) % (this.#sound.length - this.#chunkSamples);
      this.#stream.push(this.#sound.subarray(at, at + this.#chunkSamples));
      this.#pushed++;
      late.push(nowMs - dueMs);
    }
  }

  /**
   * Delays of all deliveries; one that has not come although it was due more than a group ago never
   * did.
   */
  delays(untilMs: number): readonly number[] {
    const missing = Math.floor((untilMs - patienceMs - this.#dueMs(this.#answered)) / groupMs);
    return [...this.#delays, ...Array.from({ length: Math.max(0, missing) }, () => Number.POSITIVE_INFINITY)];
  }

  close(): void {
    this.#stream.close();
  }

  /** When the chunk was due that completes the sound which `frames` frames need. */
  #dueMs(frames: number): number {
    const neededMs = frames * this.#strideMs + this.#aheadMs;
    return this.#startMs + Math.ceil(neededMs / chunkMs) * chunkMs;
  }
}

/**
 * Two seconds that sound like speech to the features: harmonics whose pitch and loudness move, and
 * noise.
 */
function readAloud(sampleRateHz: number): Float32Array {
  let state = 1;
  let phase = 0;
  return Float32Array.from({ length: 2 * sampleRateHz }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const seconds = i / sampleRateHz;
    phase += (2 * Math.PI * (120 + 30 * Math.sin(4 * seconds))) / sampleRateHz;
    const loudness = 0.15 * (1 + Math.sin(2 * Math.PI * 4 * seconds));
    return (
      loudness * (Math.sin(phase) + Math.sin(2 * phase) / 2 + Math.sin(7 * phase) / 4) + 0.01 * (state / 2 ** 31 - 1)
    );
  });
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.POSITIVE_INFINITY;
}

const chunkMs = 20;
const startInMs = 50;
const warmUpMs = 500;
const groupMs = 100;
/** What was due that short ago may be in a group that is not full. */
const patienceMs = 200;
/** Half a chunk: sound that comes later than that is not live. */
const mostLateMs = 10;
