import type { ModelPackage } from '../model/model-package.ts';
import type { LogMelPlan } from './log-mel.ts';
import { createNormaliser } from './normaliser.ts';
import type { StepQueue } from './step-queue.ts';

/** One stream's PCM to model steps, each `stack` normalised log-mel hops; any chunking gives the same steps. */
export type FeatureStream = {
  /** Samples in [-1, 1); NaN and infinities count as 0. */
  push(pcm: Float32Array, arrivedMs: number): void;
  /** Silence completes the last step, then the model's look-ahead follows as steps of zeros. */
  end(arrivedMs: number): void;
};

/** Steps go to `queue`, whose width is bins x stack. Step j holds hops j * stack and on; hop k covers samples from k * hop. */
export function createFeatureStream(model: ModelPackage, plan: LogMelPlan, queue: StepQueue): FeatureStream {
  const { stack } = model.features;
  const { bins, windowSamples, hopSamples } = plan;
  const strideSamples = hopSamples * stack;
  const normaliser = createNormaliser(model.features);
  const hop = new Float32Array(bins * stack);
  let hopsInStep = 0;
  let steps = 0;
  let received = 0;
  // One buffer a stream, moved on as hops are taken: new memory for each chunk is what keeps a garbage collector busy.
  const samples = new Float32Array(windowSamples + chunkHops * hopSamples);
  let held = 0;

  const push = (pcm: Float32Array, arrivedMs: number): void => {
    received += pcm.length;
    for (let at = 0; at < pcm.length; ) {
      const room = Math.min(pcm.length - at, samples.length - held);
      for (let i = 0; i < room; i++) {
        const value = pcm[at + i]!;
        samples[held + i] = Number.isFinite(value) ? value : 0;
      }
      at += room;
      held += room;
      takeHops(arrivedMs);
    }
  };

  const takeHops = (arrivedMs: number): void => {
    let offset = 0;
    for (; offset + windowSamples <= held; offset += hopSamples) {
      plan.frame(samples, offset, hop, hopsInStep * bins);
      normaliser.apply(hop, hopsInStep * bins);
      if (++hopsInStep < stack) continue;
      hopsInStep = 0;
      steps++;
      const at = queue.add(arrivedMs, model.strideMs);
      queue.buffer.set(hop, at);
    }
    samples.copyWithin(0, offset, held);
    held -= offset;
  };

  return {
    push,
    end(arrivedMs) {
      const audioSamples = received;
      const wanted = Math.ceil(audioSamples / strideSamples);
      if (steps < wanted) {
        const lastHop = (wanted * stack - 1) * hopSamples;
        push(new Float32Array(lastHop + windowSamples - received), arrivedMs);
      }
      const lookahead = Math.round(model.lookaheadMs / model.strideMs);
      for (let step = 0; step < lookahead; step++) {
        const at = queue.add(arrivedMs, model.strideMs);
        queue.buffer.fill(0, at, at + queue.width);
      }
    },
  };
}

/** A chunk of up to so many hops is taken in one go. */
const chunkHops = 10;
