import type { PlainError } from '../../threads/plain-error.ts';
import type { LinkEnd } from '../../threads/thread-link.ts';
import type { TunedDevice } from '../engine/device-tuning.ts';
import type { EngineOptions } from '../engine/inline-engine.ts';
import type { CoreStats, EngineFault, LostDevice } from '../engine/types.ts';

/**
 * What the worker is started with; `warm`: it runs every shape before it is ready;
 * `deviceMayBeGone`: it runs on the CPU where the device cannot be opened. Sound and frames go over
 * the link.
 */
export type WorkerStart = EngineOptions & { warm: boolean; deviceMayBeGone: boolean; link: LinkEnd };

/**
 * A fault; which groups are wanted; the word that there is time to collect garbage; or the last
 * word.
 */
export type ToWorker = EngineFault | 'larger groups' | 'usual groups' | 'tidy' | 'close';

export type FromWorker =
  | { type: 'ready'; provider: string; whyNotNative: string | undefined; tuning: TunedDevice | undefined }
  /** The worker never became ready. */
  | { type: 'unfit'; error: PlainError }
  /** The device is gone; the streams go on with `provider`. */
  | { type: 'lost-device'; provider: string; lost: LostDevice }
  | { type: 'stats'; stats: CoreStats };

/** Records to the worker, each beginning with its stream: float64. */
export const toWorkerKinds = {
  opened: 0,
  /** Then float64: arrival (ms, shared clock), count of samples; float32: the samples. */
  sound: 1,
  ended: 2,
  closed: 3,
  /** As `sound`, its samples in int16. */
  narrowSound: 4,
  /** As `opened`, of a stream that can wait for others. */
  openedToWait: 5,
  /** The stream can wait for others from here on. */
  gaveWay: 6,
} as const;

/** Records of the worker. */
export const fromWorkerKinds = {
  /** See `writeFrames`. */
  frames: 0,
  /** The stream, float64: its last frame lies before this. */
  ended: 1,
} as const;

/** Posted by the worker in its place among the records. */
export type StreamFailed = { stream: number; error: PlainError };
