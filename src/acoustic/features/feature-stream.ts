import type { ModelPackage } from '../model/model-package.ts';
import type { LogMelPlan } from './log-mel.ts';
import type { SpeakerMean } from './normaliser.ts';
import type { StepQueue } from './step-queue.ts';

/**
 * One stream's PCM to model steps, each `stack` normalised log-mel hops; any chunking gives the
 * same steps. Steps go to `queue`, whose width is bins x stack. Step j holds hops j * stack and on;
 * hop k covers samples from k * hop.
 *
 * A step is in the queue as soon as its sound is there. Its features are found when one is taken,
 * for all that wait: their tables and the speaker's voice lie in the processor's caches then.
 */
export class FeatureStream {
  readonly #model: ModelPackage;
  readonly #plan: LogMelPlan;
  readonly #queue: StepQueue;
  readonly #stack: number;
  readonly #bins: number;
  readonly #windowSamples: number;
  readonly #hopSamples: number;
  readonly #strideSamples: number;
  readonly #speaker: SpeakerMean;
  readonly #hop: Float32Array<ArrayBuffer>;
  #hopsInStep = 0;
  /** Steps that are in the queue or were, and the newest of them whose features are to be found. */
  #steps = 0;
  #unfound = 0;
  #spentMs = 0;
  #received = 0;
  // One buffer a stream, moved on as hops are taken: new memory for each chunk is what keeps a
  // garbage collector busy.
  readonly #samples: Float32Array<ArrayBuffer>;
  #held = 0;

  constructor(model: ModelPackage, plan: LogMelPlan, queue: StepQueue) {
    this.#model = model;
    this.#plan = plan;
    this.#queue = queue;
    const { stack } = model.features;
    const { bins, windowSamples, hopSamples } = plan;
    this.#stack = stack;
    this.#bins = bins;
    this.#windowSamples = windowSamples;
    this.#hopSamples = hopSamples;
    this.#strideSamples = hopSamples * stack;
    this.#speaker = plan.newSpeaker();
    this.#hop = new Float32Array(bins * stack);
    this.#samples = new Float32Array(windowSamples + heldHops * hopSamples);
  }

  /**
   * Samples in [-1, 1), or whole numbers of 16 bits that are 32,768 times as much; NaN and
   * infinities count as 0.
   */
  push(pcm: Float32Array | Int16Array, arrivedMs: number): void {
    const samples = this.#samples;
    for (let at = 0; at < pcm.length; ) {
      const held = this.#held;
      const room = Math.min(pcm.length - at, samples.length - held);
      if (pcm instanceof Int16Array) samples.set(room === pcm.length ? pcm : pcm.subarray(at, at + room), held);
      else for (let i = 0; i < room; i++) samples[held + i] = pcm[at + i]! * fullScale;
      at += room;
      this.#held = held + room;
      this.#received += room;
      this.#addSteps(arrivedMs);
      if (this.#held === samples.length) this.#findFeatures();
    }
  }

  /** Silence completes the last step, then the model's look-ahead follows as steps of zeros. */
  end(arrivedMs: number): void {
    const audioSamples = this.#received;
    const wanted = Math.ceil(audioSamples / this.#strideSamples);
    if (this.#steps < wanted) {
      const lastHop = (wanted * this.#stack - 1) * this.#hopSamples;
      this.push(new Float32Array(lastHop + this.#windowSamples - this.#received), arrivedMs);
    }
    this.#findFeatures();
    const lookahead = Math.round(this.#model.lookaheadMs / this.#model.strideMs);
    for (let step = 0; step < lookahead; step++) {
      this.#queue.add(arrivedMs, this.#model.strideMs);
      const at = this.#queue.rowAt(this.#queue.length - 1);
      this.#queue.buffer.fill(0, at, at + this.#queue.width);
    }
  }

  /** Copies the oldest `count` steps of the queue to `out` at `at` and forgets them. */
  take(count: number, out: Float32Array, at: number): void {
    if (this.#unfound > 0) this.#findFeatures();
    this.#queue.take(count, out, at);
  }

  /** How long features have taken since the last call, ms. */
  takeSpentMs(): number {
    const spentMs = this.#spentMs;
    this.#spentMs = 0;
    return spentMs;
  }

  /** Writes the rows of all steps in the queue. */
  #findFeatures(): void {
    const startMs = performance.now();
    const queue = this.#queue;
    let offset = 0;
    for (; offset + this.#windowSamples <= this.#held; offset += this.#hopSamples) {
      const row = this.#hopsInStep * this.#bins;
      if (!this.#plan.normalisedFrame(this.#samples, offset, this.#speaker, this.#hop, row)) {
        this.#frameOfFinite(offset, row);
      }
      if (++this.#hopsInStep < this.#stack) continue;
      this.#hopsInStep = 0;
      queue.buffer.set(this.#hop, queue.rowAt(queue.length - this.#unfound));
      this.#unfound--;
    }
    this.#samples.copyWithin(0, offset, this.#held);
    this.#held -= offset;
    this.#spentMs += performance.now() - startMs;
  }

  /** Steps whose sound is complete now join the queue. */
  #addSteps(arrivedMs: number): void {
    const complete = Math.floor((this.#received - this.#windowSamples) / this.#hopSamples) + 1;
    for (; (this.#steps + 1) * this.#stack <= complete; this.#steps++) {
      this.#queue.add(arrivedMs, this.#model.strideMs);
      this.#unfound++;
    }
  }

  /**
   * The window holds a sample that is no finite number, which no bin of its spectrum is without:
   * looked for here alone, and not in all sound, each sample of which would be looked at. A frame
   * whose power is beyond float32 even so stays the one before.
   */
  #frameOfFinite(offset: number, row: number): void {
    for (let at = offset; at < this.#held; at++) if (!Number.isFinite(this.#samples[at])) this.#samples[at] = 0;
    this.#plan.normalisedFrame(this.#samples, offset, this.#speaker, this.#hop, row);
  }
}

/** What full scale is in whole numbers, and in the samples that are held. */
const fullScale = 32_768;
/** Sound of so many hops waits at most: two groups of 100 ms at 10 ms a hop, and a frame. */
const heldHops = 24;
