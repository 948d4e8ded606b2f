import { SpeechfbError } from '../../errors.ts';
import { realFft } from '../features/fft.ts';
import { createLogMelPlan } from '../features/log-mel.ts';
import type { ModelPackage } from '../model/model-package.ts';
import { type Device, isAccelerator, type Provider } from '../onnx/device.ts';
import type { ModelStepper } from '../onnx/model-stepper.ts';
import { runtimeMessage } from '../onnx/runtime-message.ts';
import { openSameOnCpu } from '../onnx/same-on-cpu.ts';
import { type RunShapes, runShapes, shapesUpTo } from '../onnx/shapes.ts';
import { openStepper } from '../onnx/stepper.ts';
import { chooseTuning, measureSteps, type TunedDevice } from './device-tuning.ts';
import { EngineCore } from './engine-core.ts';
import { type Pace, pacesOf } from './pace.ts';
import type { AcousticEngine, LostDevice } from './types.ts';

export type EngineOptions = {
  model: ModelPackage;
  /** Default `auto`. */
  device?: Device;
  /** Threads of one run; default 1. */
  threads?: number;
  /** How `device` is driven, as measured before; absent: an accelerator is measured when warm. */
  tuning?: TunedDevice;
};

/**
 * The engine on the caller's own thread, for files: a run blocks it. Takes a second of audio a run,
 * so frames come late and cost little. Errors: those of `openStepper`.
 */
export async function createInlineEngine(options: EngineOptions): Promise<AcousticEngine> {
  let lostDevice: LostDevice | undefined;
  const onLoss = (lost: LostDevice) => {
    lostDevice = lost;
  };
  const { core, whyNotNative } = await openCore(options, { pace: { steps: 50, fillMs: 0 }, onLoss });
  return {
    model: options.model,
    get provider() {
      return core.provider;
    },
    get lostDevice() {
      return lostDevice;
    },
    whyNotNative,
    open(onFrames, onError, canWait) {
      const stream = core.open(onFrames, onError, canWait);
      return {
        push: (pcm) => stream.push(pcm, performance.now()),
        end: () => stream.end(performance.now()),
        giveWay: () => {
          stream.canWait = true;
        },
        close: () => stream.close(),
      };
    },
    stats: () => ({ ...core.stats(), silentMs: 0, restarts: 0 }),
    close: () => core.close(),
  };
}

export type CoreStart = {
  /** A fixed one; absent: it follows the load. */
  pace?: Pace;
  /** Every shape is run once before the first stream. */
  warm?: boolean;
  /** Where the device cannot be opened, the CPU takes its place. */
  deviceMayBeGone?: boolean;
  /** See `CoreOptions`. */
  endsWithFailure?: boolean;
  /** Called when the device was lost and the CPU goes on. */
  onLoss(lost: LostDevice): void;
};

export type OpenedCore = {
  core: EngineCore;
  whyNotNative: string | undefined;
  /** How the device is driven, where that was measured, now or before. */
  tuning: TunedDevice | undefined;
};

/** The core that both engines run. Errors: those of `openStepper`. */
export async function openCore(
  options: EngineOptions,
  { pace, warm = false, deviceMayBeGone = false, endsWithFailure = false, onLoss }: CoreStart,
): Promise<OpenedCore> {
  const { model, device = 'auto', threads = 1, tuning: known } = options;
  const takeOver = async (from: string, error: unknown): Promise<ModelStepper> => {
    const next = await openSameOnCpu(model, threads);
    onLoss({ device: from, reason: runtimeMessage(error) });
    return next;
  };
  const shapesFor = (provider: Provider): RunShapes =>
    known?.device === provider ? shapesUpTo(known.maxBatch) : runShapes(provider);
  const stepper = await openStepper(model, device, threads, shapesFor).catch((error: unknown) => {
    if (!deviceMayBeGone || !(error instanceof SpeechfbError && error.code === 'device_unavailable')) throw error;
    return takeOver(device, error);
  });
  const isKnown = known?.device === stepper.provider;
  const tuning = isKnown ? known : warm && isAccelerator(stepper.provider) ? await tune(stepper, model) : undefined;
  if (warm) await stepper.warm();
  const plan = createLogMelPlan(model.features, model.sampleRateHz, await realFft(model.features.fft));
  const fallBack = (error: Error) => takeOver(stepper.provider, error);
  const paces = tuning && pacesOf(tuning.groupSteps);
  const core = new EngineCore({
    model,
    plan,
    stepper,
    fallBack,
    endsWithFailure,
    ...(pace && { pace }),
    ...(paces && { paces }),
  });
  return { core, whyNotNative: stepper.whyNotNative, tuning };
}

/** Measures the device for a few seconds, and narrows the stepper to what pays there. */
async function tune(stepper: ModelStepper, { strideMs }: ModelPackage): Promise<TunedDevice> {
  const { maxBatch } = stepper.shapes;
  const run = (batch: number, steps: number) => stepper.run([], batch, steps);
  const times = await measureSteps(run, { repetitions: 2, budgetMs: tuningBudgetMs, maxBatch });
  const { maxBatch: chosen, groupSteps } = chooseTuning(times, strideMs);
  stepper.narrowTo(chosen);
  return { device: stepper.provider, maxBatch: chosen, groupSteps };
}

/** A device that takes longer for a few runs than that is not measured to the end. */
const tuningBudgetMs = 3000;
