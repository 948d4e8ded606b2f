import type { InferenceSession } from 'onnxruntime-common';
import type { Problem } from '../../errors.ts';
import type { ModelPackage } from '../model/model-package.ts';

/**
 * Where model.json and the ONNX file disagree: tensors that are missing, of another type or of
 * another shape.
 */
export function tensorProblems(model: ModelPackage, session: InferenceSession): Problem[] {
  const { inputs, outputs, states, features, phones } = model;
  const width = features.bins * features.stack;
  const takes: Expected[] = [
    { where: 'inputs.features', name: inputs.features, shape: [free, free, width] },
    ...states.map((s, i) => ({
      where: `states[${i}].input`,
      name: s.input,
      shape: [free, ...s.shape],
      types: stateTypes,
    })),
  ];
  const allowedOut = (input: string): readonly string[] => {
    const same = session.inputMetadata.filter((tensor) => tensor.name === input && tensor.isTensor);
    const types = same.flatMap((tensor) => (tensor.isTensor ? [tensor.type as string] : []));
    return types.some((type) => stateTypes.includes(type)) ? types : stateTypes;
  };
  const gives: Expected[] = [
    { where: 'outputs.log_posterior', name: outputs.logPosterior, shape: [free, free, phones.length] },
    ...(outputs.scoreLogit
      ? [{ where: 'outputs.score_logit', name: outputs.scoreLogit, shape: [free, free, free] }]
      : []),
    // What goes out goes in again.
    ...states.map((s, i) => ({
      where: `states[${i}].output`,
      name: s.output,
      shape: [free, ...s.shape],
      types: allowedOut(s.input),
    })),
  ];
  const unfed = session.inputNames.filter((name) => !takes.some((tensor) => tensor.name === name));
  return [
    ...takes.flatMap((tensor) => check(tensor, session.inputMetadata, 'input')),
    ...gives.flatMap((tensor) => check(tensor, session.outputMetadata, 'output')),
    ...unfed.map((name) => ({
      where: 'states',
      message: `the ONNX file also needs the input "${name}", which no state feeds`,
    })),
  ];
}

/** A dimension that may be anything: batch, steps, or one that the file leaves open. */
const free = -1;

/** Bytes are for networks in integer arithmetic, whose past is bytes. */
const stateTypes = ['float32', 'uint8'];

/** `types`: float32 when absent. */
type Expected = { where: string; name: string; shape: number[]; types?: readonly string[] };

function check(expected: Expected, tensors: readonly InferenceSession.ValueMetadata[], side: string): Problem[] {
  const { where, name, shape, types = ['float32'] } = expected;
  const found = tensors.find((tensor) => tensor.name === name);
  if (!found) {
    const allowed = tensors.map((tensor) => tensor.name).join(', ');
    return [{ where, message: `the ONNX file has no ${side} "${name}"; allowed: ${allowed}` }];
  }
  if (!found.isTensor) return [{ where, message: `${side} "${name}" is not a tensor` }];
  if (!types.includes(found.type)) {
    return [{ where, message: `${side} "${name}" is ${found.type}; allowed: ${types.join(' or ')}` }];
  }
  const fits =
    found.shape.length === shape.length &&
    shape.every((size, i) => size === free || typeof found.shape[i] !== 'number' || found.shape[i] === size);
  const batchIsFree = found.shape[0] === undefined || typeof found.shape[0] === 'string' || found.shape[0] === free;
  if (fits && batchIsFree) return [];
  const wanted = shape.map((size, i) => (size === free ? (['batch', 'steps'][i] ?? 'any') : size)).join(', ');
  return [{ where, message: `${side} "${name}" is [${found.shape.join(', ')}]; allowed: [${wanted}]` }];
}
