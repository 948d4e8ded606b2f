/**
 * The stages of one feedback event's latency, in the order that sound passes through them. The one
 * list: wire timing, traces, metrics, budgets and reports all use these names. What no stage claims
 * is shown as `unattributed`.
 */
export const stages = [
  /** From the sound until its frame is complete in the client (half or all of a frame's length). */
  'capture',
  /**
   * From that frame's end until the frame that brings the sound behind it which the model's
   * analysis window reaches.
   */
  'window',
  /**
   * From the client's send until the server's socket read. Measured by the client side, from its
   * own clock.
   */
  'uplink',
  /** Socket read to jitter buffer release: parse, dedupe, reorder. */
  'ingress',
  /** Waiting for the inference engine: batching and queueing. */
  'queue',
  /** PCM to log-mel features. */
  'features',
  /** The acoustic model's run. */
  'asr',
  /** Alignment, goodness of pronunciation, calibration. */
  'scoring',
  /** From the score to the socket write, backpressure included. */
  'emit',
  /** From the server's write until the client's read. */
  'downlink',
] as const;

export type Stage = (typeof stages)[number];

/** Stage durations in ms; a stage that the writer cannot know is absent. */
export type StageTimings = Partial<Record<Stage, number>>;

/** The stages that the server itself measures and sends in each event's `timing`. */
export const serverStages = [
  'window',
  'ingress',
  'queue',
  'features',
  'asr',
  'scoring',
  'emit',
] as const satisfies readonly Stage[];
