/**
 * Gunther's Universal Scalability Law: throughput X(N) = gamma N / (1 + alpha (N - 1) + beta N (N -
 * 1)). alpha is what waits for one another (contention), beta what talks to one another
 * (coherency), gamma the throughput of one.
 */
export type Usl = { alpha: number; beta: number; gamma: number };

export type ThroughputPoint = { load: number; throughput: number };

/** X(N). */
export function uslThroughput({ alpha, beta, gamma }: Usl, load: number): number {
  return (gamma * load) / (1 + alpha * (load - 1) + beta * load * (load - 1));
}

/**
 * Where throughput peaks: N = sqrt((1 - alpha) / beta). Infinity when nothing ever makes more load
 * slower.
 */
export function uslPeak(usl: Usl): { load: number; throughput: number } {
  if (usl.beta <= 0) {
    const limit = usl.alpha > 0 ? usl.gamma / usl.alpha : Number.POSITIVE_INFINITY;
    return { load: Number.POSITIVE_INFINITY, throughput: limit };
  }
  const load = Math.max(1, Math.sqrt((1 - usl.alpha) / usl.beta));
  return { load, throughput: uslThroughput(usl, load) };
}

/**
 * The law with the least squared error of throughput, by Levenberg-Marquardt from Gunther's
 * quadratic start, with alpha and beta not below 0. The least error may lie on a boundary, where
 * steps that are cut off at 0 stall: the laws with alpha, beta or both held at 0 are fitted by
 * themselves, and the best of the four is taken. Undefined for fewer than three different loads.
 * SPEC SDM91: alpha .0277285, beta .0001044, gamma 89.995.
 */
export function fitUsl(points: readonly ThroughputPoint[]): Usl | undefined {
  if (new Set(points.map((point) => point.load)).size < 3) return undefined;
  const from = start(points);
  const fits = boundaries.map((held) => fitFrom({ ...from, ...held }, points, held));
  return fits.reduce((best, fit) => (fit.error < best.error ? fit : best)).usl;
}

/** What a fit holds at 0: nothing, or one of the boundaries. */
const boundaries: readonly Partial<Usl>[] = [{}, { beta: 0 }, { alpha: 0 }, { alpha: 0, beta: 0 }];

function fitFrom(first: Usl, points: readonly ThroughputPoint[], held: Partial<Usl>): { usl: Usl; error: number } {
  let best = first;
  let error = squaredError(best, points);
  let damping = 1e-3;
  for (let round = 0; round < 500 && damping < 1e12; round++) {
    const next = clamp(step(best, points, damping, held));
    const nextError = squaredError(next, points);
    if (!(nextError < error)) {
      damping *= 4;
      continue;
    }
    const gain = error - nextError;
    best = next;
    error = nextError;
    damping = Math.max(1e-15, damping / 8);
    if (gain <= error * 1e-15) break;
  }
  return { usl: best, error };
}

/** The line through the first loads: no contention yet, the throughput of one as measured. */
function start(points: readonly ThroughputPoint[]): Usl {
  const gamma = Math.max(...points.map(({ load, throughput }) => throughput / load));
  // gamma N / X - 1 = alpha (N - 1) + beta N (N - 1): linear in both, so least squares is a 2 x 2
  // system.
  let [aa, ab, bb, ay, by] = [0, 0, 0, 0, 0];
  for (const { load, throughput } of points) {
    const y = (gamma * load) / throughput - 1;
    const a = load - 1;
    const b = load * (load - 1);
    aa += a * a;
    ab += a * b;
    bb += b * b;
    ay += a * y;
    by += b * y;
  }
  const determinant = aa * bb - ab * ab || 1;
  return clamp({ alpha: (ay * bb - by * ab) / determinant, beta: (by * aa - ay * ab) / determinant, gamma });
}

/**
 * One damped Gauss-Newton step, (J'J + damping diag(J'J)) delta = J' residual; what is held stays.
 */
function step(usl: Usl, points: readonly ThroughputPoint[], damping: number, held: Partial<Usl>): Usl {
  const normal = [0, 1, 2].map(() => [0, 0, 0, 0]);
  for (const { load, throughput } of points) {
    const below = 1 + usl.alpha * (load - 1) + usl.beta * load * (load - 1);
    const fitted = (usl.gamma * load) / below;
    const byAlpha = held.alpha === undefined ? (-fitted * (load - 1)) / below : 0;
    const byBeta = held.beta === undefined ? (-fitted * load * (load - 1)) / below : 0;
    const slopes = [byAlpha, byBeta, load / below];
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) normal[i]![j]! += slopes[i]! * slopes[j]!;
      normal[i]![3]! += slopes[i]! * (throughput - fitted);
    }
  }
  for (let i = 0; i < 3; i++) normal[i]![i]! *= 1 + damping;
  const [alpha, beta, gamma] = solve(normal);
  return { alpha: usl.alpha + alpha!, beta: usl.beta + beta!, gamma: usl.gamma + gamma! };
}

/**
 * Gauss-Jordan on three rows of [coefficients | right side]; a zero pivot leaves that unknown at 0.
 */
function solve(rows: number[][]): number[] {
  for (let i = 0; i < 3; i++) {
    const pivotRow = rows.slice(i).reduce((a, b) => (Math.abs(b[i]!) > Math.abs(a[i]!) ? b : a));
    rows.splice(rows.indexOf(pivotRow), 1);
    rows.splice(i, 0, pivotRow);
    const pivot = pivotRow[i]!;
    if (pivot === 0) continue;
    for (const row of rows) {
      if (row === pivotRow) continue;
      const factor = row[i]! / pivot;
      for (let j = i; j < 4; j++) row[j]! -= factor * pivotRow[j]!;
    }
  }
  return rows.map((row, i) => (row[i] === 0 ? 0 : row[3]! / row[i]!));
}

function squaredError(usl: Usl, points: readonly ThroughputPoint[]): number {
  return points.reduce((sum, { load, throughput }) => sum + (throughput - uslThroughput(usl, load)) ** 2, 0);
}

function clamp({ alpha, beta, gamma }: Usl): Usl {
  return { alpha: Math.max(0, alpha), beta: Math.max(0, beta), gamma };
}
