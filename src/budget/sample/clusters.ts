/**
 * To which session each trace belongs, as codes from 0; traces of one session resemble each other.
 */
export type Clusters = { codes: Uint32Array; count: number };

/**
 * The sessions of `n` traces; one that names none is a session of its own. Undefined where that
 * makes no difference: none is named, or each has one trace.
 */
export function clustersOf(sessions: readonly (string | undefined)[], n: number): Clusters | undefined {
  const byName = new Map<string, number>();
  const codes = new Uint32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) {
    const name = sessions[i];
    let code = name === undefined ? undefined : byName.get(name);
    if (code === undefined) {
      code = count++;
      if (name !== undefined) byName.set(name, code);
    }
    codes[i] = code;
  }
  return count === n ? undefined : { codes, count };
}

/** The sessions of the traces at `indices`. */
export function pickClusters(clusters: Clusters | undefined, indices: ArrayLike<number>): Clusters | undefined {
  if (!clusters) return undefined;
  const known = new Int32Array(clusters.count).fill(-1);
  const codes = new Uint32Array(indices.length);
  let count = 0;
  for (let i = 0; i < codes.length; i++) {
    const code = clusters.codes[indices[i]!]!;
    if (known[code]! < 0) known[code] = count++;
    codes[i] = known[code]!;
  }
  return count === codes.length ? undefined : { codes, count };
}

/** How many traces each session has. */
export function clusterSizes({ codes, count }: Clusters): Float64Array {
  const sizes = new Float64Array(count);
  for (const code of codes) sizes[code]! += 1;
  return sizes;
}
