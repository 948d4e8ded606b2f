import type { Provider } from './device.ts';
import type { RunShapes } from './shapes.ts';

/** One stream's recurrent state, zero at the start, as its stepper keeps it. */
export type StreamState = object;

export type StepOutput = { logPosterior: Float32Array; scoreLogit: Float32Array | undefined };

/**
 * Runs the model on a batch of streams, `steps` each, and keeps each stream's state. One run at a
 * time.
 */
export type ModelStepper = {
  /** What may run; memory is for those that it was opened for. */
  readonly shapes: RunShapes;
  /** Logits a frame of the score head; 0 for a model without one. */
  readonly scoreWidth: number;
  /** Values of one step: bins x stack. */
  readonly featureWidth: number;
  readonly phones: number;
  /** Where the caller writes the features of the next run: [batch, steps, featureWidth]. */
  readonly features: Float32Array<ArrayBuffer>;
  readonly provider: Provider;
  /** Why the CPU runs WebAssembly although nobody asked for it; absent otherwise. */
  readonly whyNotNative: string | undefined;
  /** Runs no larger batches from now on, which are not warmed up either. */
  narrowTo(maxBatch: number): void;
  newState(): StreamState;
  /** Takes back the state of a stream that is over, for the next one. */
  recycle(state: StreamState): void;
  /**
   * Runs `states.length` streams, padded to `bucket`, and updates their states in place. The
   * result's arrays are reused by the next run: row b of stream b begins at b * steps * width.
   */
  run(states: readonly StreamState[], bucket: number, steps: number): Promise<StepOutput>;
  /** Runs every shape once. */
  warm(): Promise<void>;
  close(): Promise<void>;
};
