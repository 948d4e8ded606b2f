import { SpeechfbError } from '../../errors.ts';
import { wasm, wasmModule, wasmPageBytes } from '../../wasm-module.ts';
import type { Known, Predict, Trees } from './regressor-schema.ts';

/**
 * Boosted trees in WebAssembly, `lanes` of them at a time and without branches: one tree alone
 * waits at each node for memory and for a guess that is wrong half the time. The sum is that of a
 * plain loop to the last bit.
 *
 * A node has eight bytes, so that a step down a tree is one cache line: where its input lies (16
 * bits) with how far away the right child is (16 bits), both in bytes, then the threshold. The left
 * child is the next node. A leaf's input is NaN, which is below no threshold, and its right child
 * the leaf itself: there a tree stays until the others beside it are done. Its threshold is its
 * value.
 *
 * @throws SpeechfbError `bad_model` for a tree or inputs that 16 bits cannot count.
 */
export function forestPredictor(model: Trees, { from, cases }: Known): Predict {
  const inputs = model.feature.reduce((most, feature) => Math.max(most, feature + 1), from + cases[0]!.length);
  if (4 * inputs > mostBytes) throw tooLarge('inputs', inputs, mostBytes / 4);
  const { words, numbers, roots } = nodesOf(model, inputs);
  while (roots.length % lanes > 0) {
    // Adding -0 changes no sum.
    roots.push(words.push((4 * inputs) << 16) - 1);
    numbers.push(-0);
  }
  const rootsAt = 8 * Math.ceil((inputs + 1) / 2) + 8;
  const rootsEnd = rootsAt + 4 * roots.length;
  const nodesAt = 8 * Math.ceil(rootsEnd / 8);
  const { sum, memory } = createForest(nodesAt + 8 * words.length);
  const ints = new Int32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  ints.set(
    roots.map((root) => nodesAt + 8 * root),
    rootsAt / 4,
  );
  for (let node = 0; node < words.length; node++) {
    ints[nodesAt / 4 + 2 * node] = words[node]!;
    floats[nodesAt / 4 + 2 * node + 1] = numbers[node]!;
  }
  floats[inputs] = Number.NaN;
  const result = new Float64Array(memory.buffer, rootsAt - 8, 1);
  const input = floats.subarray(0, inputs);
  return (given, which) => {
    for (let i = 0; i < input.length; i++) input[i] = given[i]!;
    input.set(cases[which]!, from);
    result[0] = model.base;
    sum(rootsAt, rootsEnd, rootsAt - 8);
    return result[0]!;
  };
}

/** The nodes of all trees, the left child of each behind it, and which are roots. */
function nodesOf(model: Trees, inputs: number): { words: number[]; numbers: number[]; roots: number[] } {
  const words: number[] = [];
  const numbers: number[] = [];
  const visit = (at: number): number => {
    const feature = model.feature[at]!;
    const isLeaf = feature < 0;
    const node = words.push((4 * (isLeaf ? inputs : feature)) << 16) - 1;
    numbers.push(isLeaf ? model.value[at]! : model.threshold[at]!);
    if (isLeaf) return node;
    visit(model.left[at]!);
    const left = words.length - node;
    if (8 * left > mostBytes) throw tooLarge('nodes in one half of a tree', left - 1, mostBytes / 8 - 1);
    words[node]! |= 8 * left;
    visit(model.right[at]!);
    return node;
  };
  return { words, numbers, roots: model.roots.map(visit) };
}

/** What 16 bits count. */
const mostBytes = 0xffff;

function tooLarge(what: string, count: number, most: number): SpeechfbError {
  return new SpeechfbError('bad_model', `the calibration has ${count} ${what}; allowed: ${Math.floor(most)}`);
}

/**
 * `sum` adds to the double at `total` the leaves of the trees whose roots' addresses lie between
 * `roots` and `rootsEnd`, a multiple of `lanes`; inputs lie from 0 on.
 */
function createForest(bytes: number): {
  sum(roots: number, rootsEnd: number, total: number): void;
  memory: WebAssembly.Memory;
} {
  const locals = [
    [2 * lanes + 1, 'i32'],
    [1, 'f64'],
  ] as const;
  const functions = [{ name: 'sum', parameters: 3, locals, code: sumCode() }];
  const compiled = wasmModule(functions, { pages: Math.ceil(bytes / wasmPageBytes) });
  return new WebAssembly.Instance(compiled).exports as ReturnType<typeof createForest>;
}

/** Trees at a time. */
const lanes = 6;

function sumCode(): number[] {
  const { get, set, int } = wasm;
  const [roots, rootsEnd, total] = [0, 1, 2] as const;
  const node = (lane: number) => 3 + lane;
  const step = (lane: number) => 3 + lanes + lane;
  const [word, sum] = [3 + 2 * lanes, 4 + 2 * lanes] as const;
  const everyLane = (code: (lane: number) => number[]) => Array.from({ length: lanes }, (_, lane) => code(lane)).flat();
  // right ^ ((right ^ 8) & -(input <= threshold)): 8 where it holds, else the way to the right.
  const right = [...get(word), ...int(0xffff), ...wasm.and];
  const isLeft = (lane: number) => [
    ...[...get(word), ...int(16), ...wasm.shiftRight, ...wasm.loadFloat()],
    ...[...get(node(lane)), ...wasm.loadFloat(4), ...wasm.notAbove],
  ];
  const walk = (lane: number) => [
    ...[...get(node(lane)), ...wasm.loadInt(), ...set(word)],
    ...[...right, ...right, ...int(8), ...wasm.xor],
    ...[...int(0), ...isLeft(lane), ...wasm.subtractInts, ...wasm.and, ...wasm.xor, ...set(step(lane))],
    ...[...get(node(lane)), ...get(step(lane)), ...wasm.addInts, ...set(node(lane))],
  ];
  return [
    ...[...get(total), ...wasm.loadDouble(), ...set(sum)],
    ...wasm.loopBelow(roots, rootsEnd, [
      ...everyLane((lane) => [...get(roots), ...wasm.loadInt(4 * lane), ...set(node(lane))]),
      ...wasm.loopWhile([
        ...everyLane(walk),
        ...get(step(0)),
        ...everyLane((lane) => (lane === 0 ? [] : [...get(step(lane)), ...wasm.or])),
      ]),
      ...everyLane((lane) => [
        ...get(sum),
        ...[...get(node(lane)), ...wasm.loadFloat(4), ...wasm.toDouble, ...wasm.addDoubles, ...set(sum)],
      ]),
      ...wasm.add(roots, 4 * lanes),
    ]),
    ...[...get(total), ...get(sum), ...wasm.storeDouble()],
  ];
}
