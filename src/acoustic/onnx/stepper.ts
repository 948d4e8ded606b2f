import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';
import type { Problem } from '../../errors.ts';
import { releaseMemory } from '../../threads/memory.ts';
import { badModel } from '../model/load-model.ts';
import type { ModelPackage } from '../model/model-package.ts';
import type { Device, Provider } from './device.ts';
import type { ModelStepper, StepOutput } from './model-stepper.ts';
import { type OpenedSession, openSession } from './onnx-session.ts';
import { openResident } from './resident-stepper.ts';
import { type RunShapes, runShapes, shapesUpTo } from './shapes.ts';
import { tensorProblems } from './tensor-checks.ts';

/** A row a state tensor of the model. */
type HostState = readonly StateRow[];

/** Floats, or bytes where the network keeps its past in them. */
type StateRow = Float32Array | Uint8Array;

/**
 * Opens the model on a device, to run at the shapes that suit what runs it. Errors: those of
 * `openSession`, and `bad_model` where model.json and the file disagree.
 */
export async function openStepper(
  model: ModelPackage,
  device: Device,
  threads: number,
  shapesFor: (provider: Provider) => RunShapes = runShapes,
): Promise<ModelStepper> {
  const featureWidth = model.features.bins * model.features.stack;
  const probe = async ({ session, path, runtime }: Pick<OpenedSession, 'session' | 'path' | 'runtime'>) => {
    const problems = tensorProblems(model, session);
    if (problems.length > 0) throw badModel(path, problems);
    return session.run(zeroFeeds(model, featureWidth, rowOf(session), tensorOf(runtime.Tensor)));
  };
  const opened = await openSession(model, device, threads, probe);
  const first = await probe(opened);
  const problems = outputProblems(model, first);
  if (problems.length > 0) throw badModel(opened.path, problems);

  const scoreWidth = model.outputs.scoreLogit ? first[model.outputs.scoreLogit]!.dims[2]! : 0;
  const shapes = shapesFor(opened.provider);
  const resident =
    opened.provider === 'webgpu'
      ? await openResident(model, opened, { scoreWidth, shapes }).catch(() => undefined)
      : undefined;
  return resident ?? new Stepper(model, opened, scoreWidth, shapes);
}

/** A stepper whose states come and go with each run, in this machine's memory. */
export class Stepper implements ModelStepper {
  readonly #model: ModelPackage;
  readonly #opened: OpenedSession;
  readonly #tensor: MakeTensor;
  #shapes: RunShapes;
  /** Logits a frame of the score head; 0 for a model without one. */
  readonly scoreWidth: number;
  /** Values of one step: bins x stack. */
  readonly featureWidth: number;
  readonly #stateSizes: number[];
  readonly phones: number;
  /** Where the caller writes the features of the next run: [batch, steps, featureWidth]. */
  readonly features: Float32Array<ArrayBuffer>;
  readonly #logPosterior: Float32Array<ArrayBuffer>;
  readonly #scoreLogit: Float32Array<ArrayBuffer>;
  readonly #row: (input: string, length: number) => StateRow;
  readonly #stateIn: StateRow[];
  readonly #stateOut: StateRow[];
  readonly #spare: HostState[] = [];
  /** Tensors over the shared memory, made once a shape. */
  readonly #bindings = new Map<string, { feeds: Feeds; fetches: Feeds }>();

  /** @param opened the model's session, found to be what its package says. */
  constructor(model: ModelPackage, opened: OpenedSession, scoreWidth: number, shapes: RunShapes) {
    this.#model = model;
    this.#opened = opened;
    this.#tensor = tensorOf(opened.runtime.Tensor);
    this.#shapes = shapes;
    this.scoreWidth = scoreWidth;
    this.featureWidth = model.features.bins * model.features.stack;
    this.#stateSizes = model.states.map((state) => sizeOf(state.shape));
    this.phones = model.phones.length;
    this.features = new Float32Array(shapes.maxRows * this.featureWidth);
    this.#logPosterior = new Float32Array(shapes.maxRows * this.phones);
    this.#scoreLogit = new Float32Array(shapes.maxRows * scoreWidth);
    this.#row = rowOf(opened.session);
    this.#stateIn = this.#newRows(shapes.maxBatch);
    this.#stateOut = this.#newRows(shapes.maxBatch);
  }

  /** What may run; memory is for those that it was opened for. */
  get shapes(): RunShapes {
    return this.#shapes;
  }

  /** Runs no larger batches from now on, which are not warmed up either. */
  narrowTo(maxBatch: number): void {
    this.#shapes = shapesUpTo(Math.min(maxBatch, this.#shapes.maxBatch));
  }

  get provider(): Provider {
    return this.#opened.provider;
  }

  /** Why the CPU runs WebAssembly although nobody asked for it; absent otherwise. */
  get whyNotNative(): string | undefined {
    return this.#opened.runtime.whyNotNative;
  }

  newState(): HostState {
    const used = this.#spare.pop();
    for (const part of used ?? []) part.fill(0);
    return used ?? this.#newRows(1);
  }

  /**
   * Takes back the state of a stream that is over, for the next one: its memory need not be found
   * and returned each time.
   */
  recycle(state: HostState): void {
    // A state of a device that is lost is none.
    if (state.length === this.#stateSizes.length) this.#spare.push(state);
  }

  /**
   * Runs `states.length` streams, padded to `bucket`, and updates their states in place. The
   * result's arrays are reused by the next run: row b of stream b begins at b * steps * width.
   */
  async run(states: readonly HostState[], bucket: number, steps: number): Promise<StepOutput> {
    const { feeds, fetches } = this.#bind(bucket, steps);
    for (let b = 0; b < states.length; b++) {
      for (let i = 0; i < this.#stateSizes.length; i++) this.#stateIn[i]!.set(states[b]![i]!, b * this.#stateSizes[i]!);
    }
    const { session, runtime } = this.#opened;
    // The native build writes into the tensors it is given, and then hands out copies of them;
    // WebAssembly only hands out.
    const inPlace = runtime.build === 'native';
    const given = await session.run(feeds, inPlace ? fetches : Object.keys(fetches));
    if (!inPlace) for (const name of Object.keys(fetches)) rowIn(fetches[name]!).set(rowIn(given[name]!));
    releaseMemory(Object.keys(given).flatMap((name) => copyOf(given[name]!, fetches[name]!)));
    for (let b = 0; b < states.length; b++) {
      for (let i = 0; i < this.#stateSizes.length; i++) {
        const size = this.#stateSizes[i]!;
        states[b]![i]!.set(this.#stateOut[i]!.subarray(b * size, (b + 1) * size));
      }
    }
    return { logPosterior: this.#logPosterior, scoreLogit: this.scoreWidth > 0 ? this.#scoreLogit : undefined };
  }

  /** Runs every shape once. */
  async warm(): Promise<void> {
    for (const { batch, steps } of this.shapes.all) await this.run([], batch, steps);
  }

  close(): Promise<void> {
    return this.#opened.session.release();
  }

  #newRows(streams: number): StateRow[] {
    return this.#model.states.map(({ input }, i) => this.#row(input, streams * this.#stateSizes[i]!));
  }

  #bind(bucket: number, steps: number): { feeds: Feeds; fetches: Feeds } {
    const key = `${bucket}x${steps}`;
    const known = this.#bindings.get(key);
    if (known) return known;
    const feeds: Feeds = {
      [this.#model.inputs.features]: this.#tensor(this.features, [bucket, steps, this.featureWidth]),
    };
    const fetches: Feeds = {
      [this.#model.outputs.logPosterior]: this.#tensor(this.#logPosterior, [bucket, steps, this.phones]),
    };
    if (this.#model.outputs.scoreLogit)
      fetches[this.#model.outputs.scoreLogit] = this.#tensor(this.#scoreLogit, [bucket, steps, this.scoreWidth]);
    this.#model.states.forEach((state, i) => {
      feeds[state.input] = this.#tensor(this.#stateIn[i]!, [bucket, ...state.shape]);
      fetches[state.output] = this.#tensor(this.#stateOut[i]!, [bucket, ...state.shape]);
    });
    this.#bindings.set(key, { feeds, fetches });
    return { feeds, fetches };
  }
}

type Feeds = Record<string, Tensor>;

type MakeTensor = (memory: StateRow, dims: number[]) => Tensor;

/** Makes tensors of a build's own class over the first elements of `memory`. */
function tensorOf(OwnTensor: TensorConstructor): MakeTensor {
  return (memory, dims) => {
    const length = sizeOf(dims);
    return memory instanceof Uint8Array
      ? new OwnTensor('uint8', memory.subarray(0, length), dims)
      : new OwnTensor('float32', memory.subarray(0, length), dims);
  };
}

function rowIn(tensor: Tensor): StateRow {
  return tensor.data as StateRow;
}

function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** Memory for an input of the session, of the type that it takes. */
function rowOf(session: InferenceSession): (input: string, length: number) => StateRow {
  const bytes = new Set(
    session.inputMetadata.filter((one) => one.isTensor && one.type === 'uint8').map(({ name }) => name),
  );
  return (input, length) => (bytes.has(input) ? new Uint8Array(length) : new Float32Array(length));
}

/** The memory of what a run returned, unless it is the memory that it was to write to. */
function copyOf(given: Tensor, wanted: Tensor): ArrayBuffer[] {
  const [{ buffer }, own] = [rowIn(given), rowIn(wanted)];
  return buffer instanceof ArrayBuffer && buffer !== own.buffer ? [buffer] : [];
}

function zeroFeeds(
  model: ModelPackage,
  featureWidth: number,
  row: ReturnType<typeof rowOf>,
  tensor: MakeTensor,
): Feeds {
  const feeds: Feeds = { [model.inputs.features]: tensor(new Float32Array(featureWidth), [1, 1, featureWidth]) };
  for (const { input, shape } of model.states) feeds[input] = tensor(row(input, sizeOf(shape)), [1, ...shape]);
  return feeds;
}

/** A file may leave shapes open; what it really gave for one step of one stream has to fit too. */
function outputProblems(model: ModelPackage, given: InferenceSession.ReturnType): Problem[] {
  const { outputs, states, phones } = model;
  const expected: [string, string, number[][]][] = [
    ['outputs.log_posterior', outputs.logPosterior, [[1, 1, phones.length]]],
    ...states.map((s, i): [string, string, number[][]] => [`states[${i}].output`, s.output, [[1, ...s.shape]]]),
  ];
  if (outputs.scoreLogit) {
    const widths = [phones.length, phones.length - 1];
    expected.push(['outputs.score_logit', outputs.scoreLogit, widths.map((width) => [1, 1, width])]);
  }
  return expected.flatMap(([where, name, allowed]) => {
    const dims = given[name]?.dims.join(', ');
    if (allowed.some((shape) => shape.join(', ') === dims)) return [];
    return [
      {
        where,
        message: `"${name}" came out as [${dims}]; allowed: ${allowed.map((s) => `[${s.join(', ')}]`).join(' or ')}`,
      },
    ];
  });
}
