import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/**
 * A seeded sequence of random numbers, for statistics and simulations that draw many: the same seed
 * gives the same numbers on every machine. Which generator is for what: docs/decisions/16-three-
 * ways-to-draw.md.
 */
export type Random = {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform whole number in [0, below), for `below` up to 2^53. */
  index(below: number): number;
  /** Standard normal. */
  normal(): number;
};

/** A source from a whole-number seed. Sources of different seeds may be used side by side. */
export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  // The seed fills a quarter of the state: step until all of it is mixed, so that near seeds do not
  // begin alike.
  for (let i = 0; i < 64; i++) generator.next();
  const uniform = () => ((generator.next() >>> 5) * 67_108_864 + (generator.next() >>> 6)) / 9_007_199_254_740_992;
  let spare: number | undefined;
  return {
    uniform,
    index: (below) => Math.floor(uniform() * below),
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      // Marsaglia's polar method gives two at a time.
      for (;;) {
        const x = 2 * uniform() - 1;
        const y = 2 * uniform() - 1;
        const square = x * x + y * y;
        if (square >= 1 || square === 0) continue;
        const scale = Math.sqrt((-2 * Math.log(square)) / square);
        spare = y * scale;
        return x * scale;
      }
    },
  };
}
