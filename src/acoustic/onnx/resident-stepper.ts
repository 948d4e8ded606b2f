import { readFileSync } from 'node:fs';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { releaseMemory } from '../../threads/memory.ts';
import type { ModelPackage } from '../model/model-package.ts';
import type { Provider } from './device.ts';
import type { ModelStepper, StepOutput } from './model-stepper.ts';
import type { OpenedSession } from './onnx-session.ts';
import { allRowsOf, appendingModel, keepInput, rowsInput, withResidentStates } from './resident-graph.ts';
import { type RunShapes, shapesUpTo } from './shapes.ts';

/**
 * A stepper whose states stay on the device between runs, a row a stream in one tensor a state:
 * what comes and goes with a run is features, row numbers and answers. Only WebGPU:
 * onnxruntime-node 1.30 keeps outputs of no other device there. Errors: those of onnxruntime, for a
 * model whose states are not floats, or whose weights lie in files beside it.
 */
export async function openResident(
  model: ModelPackage,
  opened: OpenedSession,
  { scoreWidth, shapes }: { scoreWidth: number; shapes: RunShapes },
): Promise<ResidentStepper> {
  const { InferenceSession } = opened.runtime;
  const location = opened.provider === 'webgpu' ? 'gpu-buffer' : 'cpu';
  const options = (outputs: readonly string[]): InferenceSession.SessionOptions => ({
    executionProviders: [opened.provider],
    logSeverityLevel: 4,
    preferredOutputLocation: Object.fromEntries(outputs.map((name) => [name, location])),
  });
  const { states } = model;
  const bytes = withResidentStates(readFileSync(opened.path), states);
  const session = await InferenceSession.create(bytes, options(states.map(({ output }) => allRowsOf(output))));
  const appending: InferenceSession[] = [];
  for (const { shape } of states) appending.push(await InferenceSession.create(appendingModel(shape), options(['c'])));
  const stepper = new ResidentStepper(model, { opened, session, appending }, scoreWidth, shapes);
  await stepper.run([], 1, 1);
  await opened.session.release();
  return stepper;
}

type Sessions = { opened: OpenedSession; session: InferenceSession; appending: readonly InferenceSession[] };

/** A stream's row of the states; what is in it before its first run is another's. */
type Slot = { row: number; isNew: boolean };

class ResidentStepper implements ModelStepper {
  readonly scoreWidth: number;
  readonly featureWidth: number;
  readonly phones: number;
  readonly features: Float32Array<ArrayBuffer>;
  readonly #model: ModelPackage;
  readonly #sessions: Sessions;
  readonly #outputs: string[];
  #shapes: RunShapes;
  /** All streams' rows of each state, on the device. */
  #all: Tensor[];
  /** Rows that `#all` has, and those that are taken: row 0 is for what pads a batch. */
  #rows = firstRows;
  #taken = 1;
  readonly #free: number[] = [];
  /** Memory of the answers of the run before. */
  #handedOut: ArrayBuffer[] = [];

  constructor(model: ModelPackage, sessions: Sessions, scoreWidth: number, shapes: RunShapes) {
    this.#model = model;
    this.#sessions = sessions;
    this.#shapes = shapes;
    this.scoreWidth = scoreWidth;
    this.featureWidth = model.features.bins * model.features.stack;
    this.phones = model.phones.length;
    this.features = new Float32Array(shapes.maxRows * this.featureWidth);
    const { logPosterior, scoreLogit } = model.outputs;
    this.#outputs = [
      logPosterior,
      ...(scoreLogit ? [scoreLogit] : []),
      ...model.states.map((s) => allRowsOf(s.output)),
    ];
    this.#all = model.states.map(({ shape }) => this.#zeros(firstRows, shape));
  }

  get shapes(): RunShapes {
    return this.#shapes;
  }

  get provider(): Provider {
    return this.#sessions.opened.provider;
  }

  get whyNotNative(): undefined {
    return undefined;
  }

  narrowTo(maxBatch: number): void {
    this.#shapes = shapesUpTo(Math.min(maxBatch, this.#shapes.maxBatch));
  }

  newState(): Slot {
    return { row: this.#free.pop() ?? this.#taken++, isNew: true };
  }

  recycle({ row }: Slot): void {
    this.#free.push(row);
  }

  async run(slots: readonly Slot[], bucket: number, steps: number): Promise<StepOutput> {
    if (this.#taken > this.#rows) await this.#makeRoom();
    const { states, outputs } = this.#model;
    const given = await this.#sessions.session.run(this.#feeds(slots, bucket, steps), this.#outputs);
    releaseMemory(this.#handedOut);
    this.#handedOut = [outputs.logPosterior, outputs.scoreLogit].flatMap((name) =>
      name === undefined ? [] : memoryOf(given[name]!),
    );
    const before = this.#all;
    this.#all = states.map(({ output }) => given[allRowsOf(output)]!);
    for (const tensor of before) tensor.dispose();
    for (const slot of slots) slot.isNew = false;
    const valuesOf = (name: string) => given[name]!.data as Float32Array;
    return {
      logPosterior: valuesOf(outputs.logPosterior),
      scoreLogit: outputs.scoreLogit === undefined ? undefined : valuesOf(outputs.scoreLogit),
    };
  }

  async warm(): Promise<void> {
    for (const { batch, steps } of this.#shapes.all) await this.run([], batch, steps);
  }

  async close(): Promise<void> {
    for (const tensor of this.#all) tensor.dispose();
    for (const session of [this.#sessions.session, ...this.#sessions.appending]) await session.release();
  }

  #feeds(slots: readonly Slot[], bucket: number, steps: number): Record<string, Tensor> {
    const { Tensor } = this.#sessions.opened.runtime;
    const rows = new BigInt64Array(bucket);
    const keep = new Float32Array(bucket);
    slots.forEach(({ row, isNew }, b) => {
      rows[b] = BigInt(row);
      keep[b] = isNew ? 0 : 1;
    });
    const dims = [bucket, steps, this.featureWidth];
    const features = this.features.subarray(0, bucket * steps * this.featureWidth);
    return {
      [this.#model.inputs.features]: new Tensor('float32', features, dims),
      [rowsInput]: new Tensor('int64', rows, [bucket]),
      [keepInput]: new Tensor('float32', keep, [bucket]),
      ...Object.fromEntries(this.#model.states.map(({ input }, i) => [allRowsOf(input), this.#all[i]!])),
    };
  }

  /** Twice as many rows, or as many as are taken; what is in them stays on the device. */
  async #makeRoom(): Promise<void> {
    const rows = Math.max(2 * this.#rows, this.#taken);
    for (const [i, { shape }] of this.#model.states.entries()) {
      const more = this.#zeros(rows - this.#rows, shape);
      const { c } = await this.#sessions.appending[i]!.run({ a: this.#all[i]!, b: more }, ['c']);
      this.#all[i]!.dispose();
      this.#all[i] = c!;
    }
    this.#rows = rows;
  }

  #zeros(rows: number, shape: readonly number[]): Tensor {
    const dims = [rows, ...shape];
    const values = new Float32Array(dims.reduce((product, size) => product * size, 1));
    return new this.#sessions.opened.runtime.Tensor('float32', values, dims);
  }
}

/** The memory that an answer lies in. */
function memoryOf(tensor: Tensor): ArrayBuffer[] {
  const { buffer } = tensor.data as Float32Array;
  return buffer instanceof ArrayBuffer ? [buffer] : [];
}

/** 3 MB of the shipped network; a run copies all of them on the device. */
const firstRows = 64;
