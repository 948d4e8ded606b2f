/**
 * A model package as loaded from `models/NAME/model.json`: what any streaming ONNX phone model must
 * say about itself.
 */
export type ModelPackage = {
  name: string;
  version: string;
  licence: string;
  language: string;
  sampleRateHz: number;
  /** Absolute path of the .onnx file. */
  onnxPath: string;
  /** Absolute path of the same network for the CPU, where it has a form of its own. */
  onnxCpuPath?: string;
  features: LogMelRecipe;
  /** Output order of the log-posteriors; silence among them. */
  phones: readonly string[];
  silence: string;
  /** One output frame, ms. */
  strideMs: number;
  /** How much later than the sound its frame can be known, ms. */
  lookaheadMs: number;
  inputs: { features: string };
  states: readonly { input: string; output: string; shape: readonly number[] }[];
  outputs: { logPosterior: string; scoreLogit?: string };
  /**
   * Nats added to each phone's log-posterior while aligning, and nowhere else: takes off what
   * frequent phones and silence have too easily. Absent: none.
   */
  alignmentBias?: readonly number[];
  /**
   * Absolute path of calibration.json; absent: an uncalibrated logistic on GOP is used, and said.
   */
  calibrationPath?: string;
};

export type LogMelRecipe = {
  type: 'log-mel';
  windowMs: number;
  hopMs: number;
  fft: number;
  window: 'hann';
  bins: number;
  lowHz: number;
  highHz: number;
  /** Added to each mel power (int16 scale) before the logarithm. */
  floor: number;
  /** Hops joined into one model step. */
  stack: number;
  normalisation: {
    type: 'causal-mean';
    priorFrames: number;
    gateNats: number;
    decayNatsPerFrame: number;
    mean: readonly number[];
    deviation: readonly number[];
  };
};

/**
 * The package without the form for CPUs that it may have beside its network, which costs half as
 * much and scores a little differently: where a device is lost, no learner's scores may change in
 * the middle of a word.
 */
export function networkOfAccelerators({ onnxCpuPath: _, ...model }: ModelPackage): ModelPackage {
  return model;
}
