import { realFft } from '../features/fft.ts';
import { createLogMelPlan } from '../features/log-mel.ts';
import type { ModelPackage } from '../model/model-package.ts';
import type { Device } from '../onnx/device.ts';
import { openStepper } from '../onnx/stepper.ts';
import { EngineCore } from './engine-core.ts';
import type { Pace } from './pace.ts';
import type { AcousticEngine } from './types.ts';

export type EngineOptions = {
  model: ModelPackage;
  /** Default `auto`. */
  device?: Device;
  /** Threads of one run; default 1. */
  threads?: number;
};

/**
 * The engine on the caller's own thread, for files: a run blocks it. Takes a second of audio a run,
 * so frames come late and cost little. Errors: those of `openStepper`.
 */
export async function createInlineEngine(options: EngineOptions): Promise<AcousticEngine> {
  const { core, provider, whyNotNative } = await openCore(options, { pace: { steps: 50, fillMs: 0 } });
  return {
    model: options.model,
    provider,
    whyNotNative,
    open(onFrames, onError) {
      const stream = core.open(onFrames, onError);
      return {
        push: (pcm) => stream.push(pcm, performance.now()),
        end: () => stream.end(performance.now()),
        close: () => stream.close(),
      };
    },
    stats: () => ({ ...core.stats(), silentMs: 0, restarts: 0 }),
    close: () => core.close(),
  };
}

/**
 * The core that both engines run, cold. `pace`: a fixed one; absent: it follows the load. `warm`:
 * every shape is run once.
 */
export async function openCore(
  options: EngineOptions,
  { pace, warm = false }: { pace?: Pace; warm?: boolean },
): Promise<{ core: EngineCore; provider: string; whyNotNative: string | undefined }> {
  const { model, device = 'auto', threads = 1 } = options;
  const stepper = await openStepper(model, device, threads);
  if (warm) await stepper.warm();
  const plan = createLogMelPlan(model.features, model.sampleRateHz, await realFft(model.features.fft));
  const core = new EngineCore({ model, plan, stepper, ...(pace && { pace }) });
  return { core, provider: stepper.provider, whyNotNative: stepper.whyNotNative };
}
