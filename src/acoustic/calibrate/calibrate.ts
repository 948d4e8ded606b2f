import {
  chooseTuning,
  type DeviceChoice,
  measureSteps,
  type StepTime,
  stepDeadlineMs,
  type TunedDevice,
} from '../engine/device-tuning.ts';
import type { AcousticEngine } from '../engine/types.ts';
import type { ModelPackage } from '../model/model-package.ts';
import type { Device } from '../onnx/device.ts';
import { shapesUpTo } from '../onnx/shapes.ts';
import { openStepper } from '../onnx/stepper.ts';
import { createWorkerEngine } from '../worker/worker-engine.ts';
import { driveLive, type LiveLevel } from './live-streams.ts';
import { nextLoad } from './search-levels.ts';

/** What a device carries of a model, measured on this machine. */
export type Calibration = {
  /** What ran the model. */
  device: string;
  model: { name: string; version: string };
  /** Deliveries are to be out so long after their sound, at p95. */
  deadlineMs: number;
  times: readonly StepTime[];
  choice: DeviceChoice;
  /** In the order in which they were tried; empty when it was interrupted before. */
  levels: readonly LiveLevel[];
  /** Most live streams that were held within the deadline; 0: none was. */
  streams: number;
  /** More may be possible: no load was missed. */
  isOpenEnded: boolean;
  interrupted: boolean;
  /** What could not be measured, a sentence each. */
  unmeasured: readonly string[];
};

export type CalibrateOptions = {
  model: ModelPackage;
  device: Device;
  /** For all of it, ms; a run or a load that has begun is let end. */
  budgetMs: number;
  signal: AbortSignal;
  say(sentence: string): void;
};

/**
 * Times the device's runs in a quarter of the time, chooses how it is driven, then lets more and
 * fewer live streams read to the engine, features and all, until it is known how many it holds.
 * Errors: those of `openStepper` and of the engine.
 */
export async function calibrate({ model, device, budgetMs, signal, say }: CalibrateOptions): Promise<Calibration> {
  const endMs = performance.now() + budgetMs;
  const { provider, times } = await timeSteps(model, device, budgetMs / 4, say);
  const choice = chooseTuning(times, model.strideMs);
  const tuning: TunedDevice = { device: provider, maxBatch: choice.maxBatch, groupSteps: choice.groupSteps };
  const options = { model, device: provider as Device, tuning };
  const engine = signal.aborted ? undefined : await createWorkerEngine(options);
  const levels: LiveLevel[] = [];
  try {
    if (engine) await searchLevels(engine, choice, { endMs, signal, say, levels });
  } finally {
    await engine?.close();
  }
  const { held } = searchOf(levels);
  const isOpenEnded = !levels.some(({ valid, p95Ms }) => valid && p95Ms > stepDeadlineMs);
  return {
    device: provider,
    model: { name: model.name, version: model.version },
    deadlineMs: stepDeadlineMs,
    times,
    choice,
    levels,
    streams: held,
    isOpenEnded,
    interrupted: signal.aborted,
    unmeasured: unmeasuredOf(levels, held, isOpenEnded),
  };
}

async function timeSteps(model: ModelPackage, device: Device, budgetMs: number, say: CalibrateOptions['say']) {
  const stepper = await openStepper(model, device, 1, () => shapesUpTo(largestBatch));
  try {
    say(`timing runs of ${model.name} on ${stepper.provider}`);
    const run = (batch: number, steps: number) => stepper.run([], batch, steps);
    const times = await measureSteps(run, { repetitions: 9, budgetMs, maxBatch: largestBatch });
    return { provider: stepper.provider, times };
  } finally {
    await stepper.close();
  }
}

type Searching = Pick<CalibrateOptions, 'signal' | 'say'> & { endMs: number; levels: LiveLevel[] };

async function searchLevels(engine: AcousticEngine, { streams: guess }: DeviceChoice, searching: Searching) {
  const { endMs, signal, say, levels } = searching;
  const lengthMs = Math.max(shortestMs, Math.min(longestMs, (endMs - performance.now()) / levelsHoped));
  // The first load is tried however late it is: without one nothing is known.
  while (levels.length === 0 || performance.now() + lengthMs < endMs) {
    const streams = nextLoad(searchOf(levels), guess, mostStreams);
    if (streams === undefined) return;
    say(`${streams} live ${streams === 1 ? 'stream' : 'streams'} for ${(lengthMs / 1000).toFixed(1)} s`);
    const level = await driveLive(engine, { streams, lengthMs, signal });
    if (!level) return;
    levels.push(level);
  }
}

/** Loads that this machine could not make bound the search, and say nothing of the device. */
function searchOf(levels: readonly LiveLevel[]): { held: number; beyond: number } {
  const isHeld = ({ valid, p95Ms }: LiveLevel) => valid && p95Ms <= stepDeadlineMs;
  const beyond = Math.min(Number.POSITIVE_INFINITY, ...levels.filter((one) => !isHeld(one)).map((one) => one.streams));
  const held = levels.filter((level) => isHeld(level) && level.streams < beyond);
  return { held: Math.max(0, ...held.map(({ streams }) => streams)), beyond };
}

function unmeasuredOf(levels: readonly LiveLevel[], held: number, isOpenEnded: boolean): string[] {
  const late = levels.filter(({ valid }) => !valid).map(({ streams }) => streams);
  return [
    ...(levels.length === 0 ? ['any load: it was interrupted'] : []),
    ...(late.length > 0 ? [`${late.join(', ')} streams: the sound itself came late, this machine is busy`] : []),
    ...(held > 0 && isOpenEnded ? [`more than ${held} streams`] : []),
    'sockets and scoring, which take cores of their own: loadtest --find-capacity measures the whole server',
  ];
}

const largestBatch = 64;
/** No gateway carries as many sessions. */
const mostStreams = 10_000;
const levelsHoped = 10;
const shortestMs = 1500;
const longestMs = 6000;
