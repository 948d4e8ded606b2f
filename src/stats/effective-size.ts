import { studentQuantile } from './student.ts';

/**
 * By how much few clusters reduce what samples are worth, (t_n-1 / t_df)^2 (Korn and Graubard
 * 1998); at most 1. `confidence` is two-sided. Half a degree of freedom is the least that is told
 * apart.
 */
export function fewness(samples: number, freedom: number, confidence: number): number {
  return (student(confidence, samples - 1) / student(confidence, freedom)) ** 2;
}

/** As many equal weights as these are worth, (sum w)^2 / (sum w^2) (Kish 1965); 0 of none. */
export function equalWeights(weights: Iterable<number>): number {
  let [sum, squares] = [0, 0];
  for (const weight of weights) {
    sum += weight;
    squares += weight * weight;
  }
  return squares === 0 ? 0 : sum ** 2 / squares;
}

function student(confidence: number, freedom: number): number {
  return studentQuantile(confidence, Math.max(0.5, freedom));
}
