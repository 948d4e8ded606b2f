import { createRandomStream } from '../../stats/random-stream.ts';

/** Something that a share of the learners has: a network, a set of clips. */
export type Weighted = { /** Relative to the others' weights; above 0. */ weight: number };

/**
 * Where each learner stands in the mixes: three numbers in [0, 1), spread so evenly that any run of
 * consecutive learners has every mix, and every pair of mixes, in its proportions. Multiples of an
 * irrational number modulo 1 (Weyl, 1916), of the golden ratio where few learners must do. Depends
 * on the seed and the learner's number alone.
 */
export function mixPoint(seed: number, learner: number): Record<'network' | 'clips' | 'tenant', number> {
  const random = createRandomStream(seed, mixStream);
  const [network, clips, tenant] = [firstStep, secondStep, thirdStep].map((step) => (random() + learner * step) % 1);
  return { network: network!, clips: clips!, tenant: tenant! };
}

/** The item in whose share of the whole `point` lies; undefined for an empty mix. */
export function choose<T extends Weighted>(mix: readonly T[], point: number): T | undefined {
  const total = mix.reduce((sum, { weight }) => sum + weight, 0);
  let rest = point * total;
  for (const item of mix) {
    if (rest < item.weight) return item;
    rest -= item.weight;
  }
  return mix.at(-1);
}

const mixStream = 0x6d6978;
const firstStep = (Math.sqrt(5) - 1) / 2;
const secondStep = Math.SQRT2 - 1;
const thirdStep = Math.sqrt(3) - 1;
