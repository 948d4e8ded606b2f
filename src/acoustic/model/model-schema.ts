import { z } from 'zod';

/** model.json as it lies in a package: snake_case, unknown keys are errors. */
export const modelSchema = z.strictObject({
  name: z.string().min(1),
  version: z.string().min(1),
  licence: z.string().min(1),
  language: z.string().min(2),
  sample_rate_hz: z.int().min(8000).max(48_000),
  onnx: z.string().min(1),
  /**
   * The same network in a form that suits CPUs, such as integer arithmetic; absent: `onnx` runs
   * there too.
   */
  onnx_cpu: z.string().min(1).optional(),
  features: z.strictObject({
    type: z.literal('log-mel'),
    window_ms: z.number().positive().max(200),
    hop_ms: z.number().positive().max(100),
    fft: z.int().min(32).max(8192),
    window: z.literal('hann'),
    bins: z.int().min(1).max(512),
    low_hz: z.number().min(0),
    high_hz: z.number().positive(),
    floor: z.number().positive(),
    stack: z.int().min(1).max(32),
    normalisation: z.strictObject({
      type: z.literal('causal-mean'),
      prior_frames: z.number().positive(),
      gate_nats: z.number().positive(),
      decay_nats_per_frame: z.number().min(0),
      mean: z.array(z.number()),
      deviation: z.array(z.number().positive()),
    }),
  }),
  phones: z.array(z.string().regex(/^\S+$/, 'a phone is a name without spaces')).min(2),
  silence: z.string(),
  stride_ms: z.number().positive(),
  lookahead_ms: z.number().min(0).max(5000),
  inputs: z.strictObject({ features: z.string().min(1) }),
  states: z.array(
    z.strictObject({
      input: z.string().min(1),
      output: z.string().min(1),
      shape: z.array(z.int().positive()).min(1),
    }),
  ),
  /** Nats added to each phone's log-posterior while aligning, one a phone. */
  alignment_bias: z.array(z.number()).optional(),
  outputs: z.strictObject({ log_posterior: z.string().min(1), score_logit: z.string().min(1).optional() }),
  calibration: z.string().min(1).optional(),
  /** For people: the figures and papers that belong to the model. */
  quality: z.record(z.string(), z.unknown()).optional(),
  citation: z.array(z.string()).optional(),
});

export type ModelJson = z.infer<typeof modelSchema>;
