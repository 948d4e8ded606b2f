import type { ModelPackage } from '../model/model-package.ts';

/**
 * The acoustic model's word on a run of frames of one stream. Frame f is sound from f * stride to
 * (f+1) * stride ms. The arrays are views that hold until the callback returns: copy what is kept.
 */
export type AcousticFrames = {
  /**
   * Index of the first frame, from 0 at the stream's start; the model's look-ahead is already taken
   * off.
   */
  firstFrame: number;
  count: number;
  /** [count, phones] row by row, natural log; phones in the model's order, silence among them. */
  logPosterior: Float32Array;
  /** [count, phones or phones - 1] logits of the score head; absent for models without one. */
  scoreLogit: Float32Array | undefined;
  timing: AcousticTiming;
};

/**
 * Where the engine's time went for these frames, ms: queue from the arrival of the newest sound in
 * them to its run.
 */
type AcousticTiming = { queueMs: number; featuresMs: number; inferenceMs: number };

/**
 * Mono samples at the model's rate: in [-1, 1), or, as most sound comes, whole numbers of 16 bits
 * that are 32,768 times as much. The model hears the same in both.
 */
export type Samples = Float32Array | Int16Array;

/** What full scale is in whole numbers. */
export const fullScale = 32_768;

/**
 * One learner's audio through the model. Results come in order through the callback given to
 * `open`.
 */
export type AcousticStream = {
  /** The samples are copied: the array may be used again. */
  push(pcm: Samples): void;
  /**
   * No more audio: pads the look-ahead, resolves when the last frame was delivered. The stream is
   * closed then.
   */
  end(): Promise<void>;
  /** Steps of other streams go before its own from now on, as if it had been opened to wait. */
  giveWay(): void;
  /** Drops the stream and whatever waits. */
  close(): void;
};

export type AcousticEngine = {
  readonly model: ModelPackage;
  /** The execution provider that really runs now: `cpu`, `cuda`, `webgpu`, `wasm`. */
  readonly provider: string;
  /** The device that was lost, since when the CPU goes on; absent: none was. */
  readonly lostDevice?: LostDevice | undefined;
  /** Why it is `wasm` although nobody asked for that. */
  readonly whyNotNative?: string | undefined;
  /**
   * @param canWait steps of other streams go before its own, by some seconds at most; default
   *   false.
   */
  open(onFrames: (frames: AcousticFrames) => void, onError: (error: Error) => void, canWait?: boolean): AcousticStream;
  stats(): EngineStats;
  /**
   * Makes the engine's own thread fail, to see what a server does then. Absent where it has none.
   */
  injectFault?(fault: EngineFault): void;
  /**
   * Whether larger groups of sound at once are wanted: they cost a stream-second less, and come
   * later by a group's length. Absent where it is all the same.
   */
  preferGroups?(wanted: boolean): void;
  /**
   * Lets the engine's own thread collect its garbage while nobody speaks. Absent where it has none.
   */
  tidy?(): void;
  close(): Promise<void>;
};

/** An accelerator that failed while it ran. `reason`: what its runtime said. */
export type LostDevice = { device: string; reason: string };

/**
 * `stall`: the thread stands still for `ms`. `kill`: it dies. `fail`: its next run fails. `slow`:
 * each run of the next `ms` takes `times` as long.
 */
export type EngineFault =
  | { action: 'stall'; ms: number }
  | { action: 'kill' }
  | { action: 'fail' }
  | { action: 'slow'; ms: number; times: number };

/** What an engine reports about itself, over the last 10 s or so. */
export type EngineStats = CoreStats & {
  /**
   * How long the engine's thread has said nothing, ms; it speaks several times a second while it
   * lives.
   */
  silentMs: number;
  /** How often its thread died and another took over. */
  restarts: number;
};

/** Figures of one thread's work. */
export type CoreStats = {
  streams: number;
  /** Chunks waiting for a run. */
  queueDepth: number;
  /** Time from a chunk's arrival to its frames, ms. */
  stepP95Ms: number;
  /** Share of wall time that the engine was running the model, 0-1. */
  busy: number;
  /** Runs since the engine's start. */
  runs: number;
  /** Streams in a run. */
  meanBatch: number;
};
