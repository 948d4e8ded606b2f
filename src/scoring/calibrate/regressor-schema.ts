import { z } from 'zod';

/**
 * Boosted regression trees as flat tables: node i splits on `feature[i]` at `threshold[i]`, or is a
 * leaf (-1).
 */
const trees = z.strictObject({
  kind: z.literal('trees'),
  base: z.number(),
  /** First node of each tree. */
  roots: z.array(z.number().int()),
  feature: z.array(z.number().int()),
  /** Goes left when the input is <= this. */
  threshold: z.array(z.number()),
  left: z.array(z.number().int()),
  right: z.array(z.number().int()),
  /** Added to the sum at a leaf. */
  value: z.array(z.number()),
});

/**
 * A small network on standardised inputs, ReLU between layers; `weight` is [outputs][inputs] row by
 * row.
 */
const layers = z.strictObject({
  kind: z.literal('layers'),
  mean: z.array(z.number()),
  deviation: z.array(z.number()),
  layers: z.array(z.strictObject({ weight: z.array(z.number()), bias: z.array(z.number()) })),
});

/** The weighted sum of several. */
const sum = z.strictObject({
  kind: z.literal('sum'),
  of: z.array(z.strictObject({ weight: z.number(), model: z.discriminatedUnion('kind', [trees, layers]) })).min(1),
});

export type Trees = z.infer<typeof trees>;
export type Layers = z.infer<typeof layers>;
export const regressor = z.discriminatedUnion('kind', [trees, layers, sum]);
export type Regressor = z.infer<typeof regressor>;

/**
 * Inputs that take one of few known sets of values: those from `from` on hold `cases[which]`. What
 * follows from them is worked out once.
 */
export type Known = { from: number; cases: readonly Float32Array[] };

/**
 * A regressor's value; of the inputs that are known, `which` case holds, and `input` need not have
 * them: it may be given them.
 */
export type Predict = (input: Float32Array, which: number) => number;
