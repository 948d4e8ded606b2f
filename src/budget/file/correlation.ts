import type { Budget } from './budget.ts';

/** The correlation matrix of the stages' underlying normals, row by row; 1 on the diagonal. */
export function correlationMatrix(names: readonly string[], correlation: Budget['correlation']): number[][] {
  const between = (a: string, b: string): number => {
    if (a === b) return 1;
    if (typeof correlation === 'number') return correlation;
    return correlation.find((pair) => pair.between.includes(a) && pair.between.includes(b))?.value ?? 0;
  };
  return names.map((a) => names.map((b) => between(a, b)));
}

/**
 * The lower triangular L with L L' = matrix (Cholesky); undefined when there is none: such
 * correlations contradict one another. A pivot of 0 is allowed, so that full correlation is.
 */
export function choleskyOf(matrix: readonly (readonly number[])[]): number[][] | undefined {
  const lower: number[][] = matrix.map((row) => row.map(() => 0));
  for (let i = 0; i < matrix.length; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i]![j]!;
      for (let k = 0; k < j; k++) rest -= lower[i]![k]! * lower[j]![k]!;
      if (i === j) {
        if (rest < -tolerance) return undefined;
        lower[i]![i] = Math.sqrt(Math.max(0, rest));
      } else if (lower[j]![j]! > Math.sqrt(tolerance)) {
        lower[i]![j] = rest / lower[j]![j]!;
      } else if (Math.abs(rest) > Math.sqrt(tolerance)) {
        return undefined;
      }
    }
  }
  return lower;
}

const tolerance = 1e-10;
