import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';
import type { Problem } from '../../errors.ts';
import { releaseMemory } from '../../threads/memory.ts';
import { badModel } from '../model/load-model.ts';
import type { ModelPackage } from '../model/model-package.ts';
import type { Device, Provider } from './device.ts';
import { type OpenedSession, openSession } from './onnx-session.ts';
import { type RunShapes, runShapes } from './shapes.ts';
import { tensorProblems } from './tensor-checks.ts';

/** One stream's recurrent state: a row a state tensor of the model, zero at the start. */
export type StreamState = readonly StateRow[];

/** Floats, or bytes where the network keeps its past in them. */
type StateRow = Float32Array | Uint8Array;

/** Runs the model on a batch of streams, `steps` each, and keeps each stream's state. One run at a time. */
export type Stepper = {
  provider: Provider;
  /** Why the CPU runs WebAssembly although nobody asked for it; absent otherwise. */
  whyNotNative: string | undefined;
  shapes: RunShapes;
  /** Values of one step: bins x stack. */
  featureWidth: number;
  phones: number;
  /** Logits a frame of the score head; 0 for a model without one. */
  scoreWidth: number;
  newState(): StreamState;
  /** Takes back the state of a stream that is over, for the next one: its memory need not be found and returned each time. */
  recycle(state: StreamState): void;
  /** Where the caller writes the features of the next run: [batch, steps, featureWidth]. */
  features: Float32Array;
  /**
   * Runs `states.length` streams, padded to `bucket`, and updates their states in place. The result's arrays are reused by the
   * next run: row b of stream b begins at b * steps * width.
   */
  run(states: readonly StreamState[], bucket: number, steps: number): Promise<StepOutput>;
  /** Runs every shape once. */
  warm(): Promise<void>;
  close(): Promise<void>;
};

export type StepOutput = { logPosterior: Float32Array; scoreLogit: Float32Array | undefined };

/** Opens the model on a device, to run at the shapes that suit it or at `wantedShapes`. Errors: those of `openSession`, and `bad_model` where model.json and the file disagree. */
export async function openStepper(
  model: ModelPackage,
  device: Device,
  threads: number,
  wantedShapes?: RunShapes,
): Promise<Stepper> {
  const featureWidth = model.features.bins * model.features.stack;
  const stateSizes = model.states.map((state) => sizeOf(state.shape));
  const probe = async ({ session, path, runtime }: Pick<OpenedSession, 'session' | 'path' | 'runtime'>) => {
    const problems = tensorProblems(model, session);
    if (problems.length > 0) throw badModel(path, problems);
    return session.run(zeroFeeds(model, featureWidth, rowOf(session), tensorOf(runtime.Tensor)));
  };
  const opened = await openSession(model, device, threads, probe);
  const { session, provider, runtime } = opened;
  const tensor = tensorOf(runtime.Tensor);
  const first = await probe(opened);
  const problems = outputProblems(model, first);
  if (problems.length > 0) throw badModel(opened.path, problems);

  const shapes = wantedShapes ?? runShapes(provider);
  const phones = model.phones.length;
  const scoreWidth = model.outputs.scoreLogit ? first[model.outputs.scoreLogit]!.dims[2]! : 0;
  const features = new Float32Array(shapes.maxRows * featureWidth);
  const logPosterior = new Float32Array(shapes.maxRows * phones);
  const scoreLogit = new Float32Array(shapes.maxRows * scoreWidth);
  const row = rowOf(session);
  const newRows = (streams: number) => model.states.map(({ input }, i) => row(input, streams * stateSizes[i]!));
  const stateIn = newRows(shapes.maxBatch);
  const stateOut = newRows(shapes.maxBatch);

  const spare: StreamState[] = [];

  /** Tensors over the shared memory, made once a shape. */
  const bindings = new Map<string, { feeds: Feeds; fetches: Feeds }>();
  const bind = (bucket: number, steps: number) => {
    const key = `${bucket}x${steps}`;
    const known = bindings.get(key);
    if (known) return known;
    const feeds: Feeds = { [model.inputs.features]: tensor(features, [bucket, steps, featureWidth]) };
    const fetches: Feeds = { [model.outputs.logPosterior]: tensor(logPosterior, [bucket, steps, phones]) };
    if (model.outputs.scoreLogit) fetches[model.outputs.scoreLogit] = tensor(scoreLogit, [bucket, steps, scoreWidth]);
    model.states.forEach((state, i) => {
      feeds[state.input] = tensor(stateIn[i]!, [bucket, ...state.shape]);
      fetches[state.output] = tensor(stateOut[i]!, [bucket, ...state.shape]);
    });
    bindings.set(key, { feeds, fetches });
    return { feeds, fetches };
  };

  const run: Stepper['run'] = async (states, bucket, steps) => {
    const { feeds, fetches } = bind(bucket, steps);
    for (let b = 0; b < states.length; b++) {
      for (let i = 0; i < stateSizes.length; i++) stateIn[i]!.set(states[b]![i]!, b * stateSizes[i]!);
    }
    // The native build writes into the tensors it is given, and then hands out copies of them; WebAssembly only hands out.
    const inPlace = runtime.build === 'native';
    const given = await session.run(feeds, inPlace ? fetches : Object.keys(fetches));
    if (!inPlace) for (const name of Object.keys(fetches)) rowIn(fetches[name]!).set(rowIn(given[name]!));
    releaseMemory(Object.keys(given).flatMap((name) => copyOf(given[name]!, fetches[name]!)));
    for (let b = 0; b < states.length; b++) {
      for (let i = 0; i < stateSizes.length; i++) {
        const size = stateSizes[i]!;
        states[b]![i]!.set(stateOut[i]!.subarray(b * size, (b + 1) * size));
      }
    }
    return { logPosterior, scoreLogit: scoreWidth > 0 ? scoreLogit : undefined };
  };

  return {
    provider,
    whyNotNative: runtime.whyNotNative,
    shapes,
    featureWidth,
    phones,
    scoreWidth,
    features,
    newState() {
      const used = spare.pop();
      for (const part of used ?? []) part.fill(0);
      return used ?? newRows(1);
    },
    recycle: (state) => spare.push(state),
    run,
    async warm() {
      for (const { batch, steps } of shapes.all) await run([], batch, steps);
    },
    close: () => session.release(),
  };
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
