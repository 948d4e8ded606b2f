import { type ExitCode, type Problem, SpeechfbError } from '../errors.ts';
import type { EngineOptions } from './inline-engine.ts';
import type { AcousticFrames, EngineStats } from './types.ts';

/** What the worker is started with. */
export type WorkerStart = EngineOptions;

/** Everything since the message before, for all streams, in this order: opened, pcm, ended, closed; or the last word. */
export type ToWorker = StreamNews | 'close';

export type StreamNews = {
  opened: number[];
  /** A row a chunk: stream, samples, arrival (ms, shared clock). */
  chunks: Float64Array;
  /** All chunks' samples, one after the other. */
  pcm: Float32Array;
  ended: number[];
  closed: number[];
};

export const chunkFields = 3;

export type FromWorker =
  | { type: 'ready'; provider: string }
  /** It never became ready. */
  | { type: 'unfit'; error: PlainError }
  | {
      type: 'results';
      /** A row a delivery: stream, first frame, count, queue ms, features ms, inference ms. */
      frames: Float64Array;
      logPosterior: Float32Array;
      scoreLogit: Float32Array | undefined;
      /** Streams whose last frame is in this message or an earlier one. */
      ended: number[];
      failed: { stream: number; error: PlainError }[];
    }
  | { type: 'stats'; stats: EngineStats };

export type PlainError = {
  code: string | undefined;
  message: string;
  hint: string | undefined;
  problems: readonly Problem[];
  exitCode: ExitCode | undefined;
};

/** An error as data, for a message between threads. */
export function toPlainError(error: unknown): PlainError {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof SpeechfbError)) {
    return { code: undefined, message, hint: undefined, problems: [], exitCode: undefined };
  }
  return { code: error.code, message, hint: error.hint, problems: error.problems, exitCode: error.exitCode };
}

export function fromPlainError(plain: PlainError): Error {
  if (plain.code === undefined) return new Error(plain.message);
  const { hint, problems, exitCode } = plain;
  return new SpeechfbError(plain.code, plain.message, {
    problems,
    ...(hint !== undefined && { hint }),
    ...(exitCode !== undefined && { exitCode }),
  });
}

/** One run's deliveries as a message; `transfer` lists the memory that moves with it. */
export function packResults(
  deliveries: readonly { stream: number; frames: AcousticFrames }[],
  ended: number[],
  failed: { stream: number; error: PlainError }[],
): { message: FromWorker; transfer: ArrayBuffer[] } {
  const frames = new Float64Array(deliveries.length * frameFields);
  deliveries.forEach(({ stream, frames: { firstFrame, count, timing } }, i) => {
    const { queueMs, featuresMs, inferenceMs } = timing;
    frames.set([stream, firstFrame, count, queueMs, featuresMs, inferenceMs], i * frameFields);
  });
  const logPosterior = concatenate(deliveries.map(({ frames }) => frames.logPosterior));
  const hasScores = deliveries[0]?.frames.scoreLogit !== undefined;
  const scoreLogit = hasScores ? concatenate(deliveries.map(({ frames }) => frames.scoreLogit!)) : undefined;
  const transfer = [frames.buffer, logPosterior.buffer, ...(scoreLogit ? [scoreLogit.buffer] : [])];
  return { message: { type: 'results', frames, logPosterior, scoreLogit, ended, failed }, transfer };
}

/** The deliveries of a message again; `phones` and `scoreWidth` are the values a frame. */
export function unpackResults(
  { frames, logPosterior, scoreLogit }: Extract<FromWorker, { type: 'results' }>,
  deliver: (stream: number, frames: AcousticFrames) => void,
): void {
  let total = 0;
  for (let at = 2; at < frames.length; at += frameFields) total += frames[at]!;
  const [phones, scores] = [logPosterior.length / total, (scoreLogit?.length ?? 0) / total];
  let row = 0;
  for (let at = 0; at < frames.length; at += frameFields) {
    const [stream, firstFrame, count, queueMs, featuresMs, inferenceMs] = frames.subarray(
      at,
      at + frameFields,
    ) as unknown as [number, number, number, number, number, number];
    const end = row + count;
    deliver(stream, {
      firstFrame,
      count,
      logPosterior: logPosterior.slice(row * phones, end * phones),
      scoreLogit: scoreLogit?.slice(row * scores, end * scores),
      timing: { queueMs, featuresMs, inferenceMs },
    });
    row = end;
  }
}

export function concatenate(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const frameFields = 6;
