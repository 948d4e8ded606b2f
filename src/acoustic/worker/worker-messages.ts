import { releaseMemory } from '../../threads/memory.ts';
import type { PlainError } from '../../threads/plain-error.ts';
import type { TunedDevice } from '../engine/device-tuning.ts';
import type { EngineOptions } from '../engine/inline-engine.ts';
import type { AcousticFrames, CoreStats, EngineFault, LostDevice } from '../engine/types.ts';

/**
 * What the worker is started with; `warm`: it runs every shape before it is ready;
 * `deviceMayBeGone`: it runs on the CPU where the device cannot be opened.
 */
export type WorkerStart = EngineOptions & { warm: boolean; deviceMayBeGone: boolean };

/**
 * Everything since the message before, for all streams, in this order: opened, pcm, ended, closed;
 * a fault; which groups are wanted; the word that there is time to collect garbage; or the last
 * word.
 */
export type ToWorker = StreamUpdates | EngineFault | 'larger groups' | 'usual groups' | 'tidy' | 'close';

export type StreamUpdates = {
  opened: number[];
  /** A row a chunk: stream, samples, arrival (ms, shared clock). */
  chunks: Float64Array<ArrayBuffer>;
  /** All chunks' samples, one after the other. */
  pcm: Float32Array<ArrayBuffer>;
  ended: number[];
  closed: number[];
};

export const chunkFields = 3;

export type FromWorker =
  | { type: 'ready'; provider: string; whyNotNative: string | undefined; tuning: TunedDevice | undefined }
  /** The worker never became ready. */
  | { type: 'unfit'; error: PlainError }
  /** The device is gone; the streams go on with `provider`. */
  | { type: 'lost-device'; provider: string; lost: LostDevice }
  | Results
  | { type: 'stats'; stats: CoreStats };

export type Results = {
  type: 'results';
  /** A row a delivery: stream, first frame, count, queue ms, features ms, inference ms. */
  frames: Float64Array<ArrayBuffer>;
  logPosterior: Float32Array<ArrayBuffer>;
  scoreLogit: Float32Array<ArrayBuffer> | undefined;
  /** Streams whose last frame is in this message or an earlier one. */
  ended: number[];
  failed: { stream: number; error: PlainError }[];
};

/**
 * Gathers deliveries and other updates of streams for one message; its buffers are used again for
 * the next.
 */
export class ResultsGatherer {
  #rows: number[] = [];
  #ended: number[] = [];
  #failed: { stream: number; error: PlainError }[] = [];
  readonly #logPosterior = new Gathered();
  readonly #scoreLogit = new Gathered();
  #hasScores = false;

  frames(stream: number, frames: AcousticFrames): void {
    const { queueMs, featuresMs, inferenceMs } = frames.timing;
    this.#rows.push(stream, frames.firstFrame, frames.count, queueMs, featuresMs, inferenceMs);
    this.#logPosterior.add(frames.logPosterior);
    this.#hasScores = frames.scoreLogit !== undefined;
    if (frames.scoreLogit) this.#scoreLogit.add(frames.scoreLogit);
  }

  ended(stream: number): void {
    this.#ended.push(stream);
  }

  failed(stream: number, error: PlainError): void {
    this.#failed.push({ stream, error });
  }

  /** All since the call before; `transfer` lists the memory that moves with it. */
  take(): { message: Results; transfer: ArrayBuffer[] } {
    const frames = new Float64Array(this.#rows);
    const [posteriors, logits] = [this.#logPosterior.take(), this.#hasScores ? this.#scoreLogit.take() : undefined];
    const message: Results = {
      type: 'results',
      frames,
      logPosterior: posteriors,
      scoreLogit: logits,
      ended: this.#ended,
      failed: this.#failed,
    };
    [this.#rows, this.#ended, this.#failed] = [[], [], []];
    return { message, transfer: [frames.buffer, posteriors.buffer, ...(logits ? [logits.buffer] : [])] };
  }
}

/**
 * The deliveries of a message again, as views of it that hold until `deliver` returns; the message
 * is spent then.
 */
export function unpackResults(results: Results, deliver: (stream: number, frames: AcousticFrames) => void): void {
  eachResult(results, deliver);
  releaseResults(results);
}

/** Frees the memory of a message; the views of it are empty then. */
export function releaseResults({ frames, logPosterior, scoreLogit }: Results): void {
  releaseMemory([frames.buffer, logPosterior.buffer, ...(scoreLogit ? [scoreLogit.buffer] : [])]);
}

/** The deliveries of a message, as views of it that hold until it is released. */
export function eachResult(
  { frames, logPosterior, scoreLogit }: Results,
  deliver: (stream: number, frames: AcousticFrames) => void,
): void {
  let total = 0;
  for (let at = 2; at < frames.length; at += frameFields) total += frames[at]!;
  const [phones, scores] = [logPosterior.length / total, (scoreLogit?.length ?? 0) / total];
  let row = 0;
  for (let at = 0; at < frames.length; at += frameFields) {
    const count = frames[at + 2]!;
    const end = row + count;
    deliver(frames[at]!, {
      firstFrame: frames[at + 1]!,
      count,
      logPosterior: logPosterior.subarray(row * phones, end * phones),
      scoreLogit: scoreLogit?.subarray(row * scores, end * scores),
      timing: { queueMs: frames[at + 3]!, featuresMs: frames[at + 4]!, inferenceMs: frames[at + 5]! },
    });
    row = end;
  }
}

/** Values put one behind the other in memory that stays, and taken as one copy of their own. */
export class Gathered {
  #values = new Float32Array(4096);
  #length = 0;

  add(part: Float32Array): void {
    const length = this.#length + part.length;
    if (length > this.#values.length) {
      const larger = new Float32Array(2 * length);
      larger.set(this.#values.subarray(0, this.#length));
      this.#values = larger;
    }
    this.#values.set(part, this.#length);
    this.#length = length;
  }

  take(): Float32Array<ArrayBuffer> {
    const taken = this.#values.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}

const frameFields = 6;
