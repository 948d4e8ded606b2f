import type { Known, Predict, Trees } from './regressor-schema.ts';

/**
 * Boosted trees in one table of eight bytes a node, so that a step down a tree is one cache line:
 * the feature (16 bits) with the distance to the right child (16 bits), then the threshold; of a
 * leaf -1 and its value. The left child is the next node.
 */
export function forestPredictor(model: Trees, { from, cases }: Known): Predict {
  const words: number[] = [];
  const numbers: number[] = [];
  const visit = (at: number): void => {
    const feature = model.feature[at]!;
    const node = words.length;
    words.push(-1);
    numbers.push(feature < 0 ? model.value[at]! : model.threshold[at]!);
    if (feature < 0) return;
    visit(model.left[at]!);
    words[node] = (feature << 16) | (words.length - node);
    visit(model.right[at]!);
  };
  const roots = Int32Array.from(model.roots, (root) => {
    const node = words.length;
    visit(root);
    return 2 * node;
  });
  const table = new Int32Array(2 * words.length);
  const values = new Float32Array(table.buffer);
  for (let node = 0; node < words.length; node++) {
    table[2 * node] = words[node]!;
    values[2 * node + 1] = numbers[node]!;
  }
  // Read from here it is known to be a double: from the object, V8 would box the sum at each tree.
  const base = Float64Array.of(model.base);
  return (input, which) => {
    input.set(cases[which]!, from);
    let total = base[0]!;
    for (let tree = 0; tree < roots.length; tree++) {
      let node = roots[tree]!;
      let word = table[node]!;
      while (word >= 0) {
        node += input[word >> 16]! <= values[node + 1]! ? 2 : 2 * (word & 0xffff);
        word = table[node]!;
      }
      total += values[node + 1]!;
    }
    return total;
  };
}
