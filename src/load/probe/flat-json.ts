/** A leaf of a JSON text: where it stands, as a JSON Pointer, and what stands there. */
export type Leaf = { pointer: string; value: string | number | boolean | null };

/** A message that is a JSON object, with its leaves; ms from the first sample of the clip on. */
export type Flat = { atMs: number; value: object; leaves: readonly Leaf[] };

/**
 * Every leaf of a JSON value, the shallow ones first within each object. Deep, long and wide ones
 * are cut off: a protocol's fields are near the top, and the server is not trusted.
 */
export function leavesOf(value: unknown, pointer = '', depth = 0): Leaf[] {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null)
    return [{ pointer, value }];
  if (typeof value !== 'object' || value === undefined || depth >= deepest) return [];
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.slice(0, mostItems).map((one, place) => [`${place}`, one])
    : Object.entries(value).slice(0, mostKeys);
  const own = entries.flatMap(([key, one]) =>
    leavesOf(one, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth + 1),
  );
  return own.slice(0, mostLeaves);
}

/** Every list of objects in a JSON value, by its JSON Pointer; those within lists are left out. */
export function listsOf(value: unknown, pointer = '', depth = 0): { pointer: string; items: readonly object[] }[] {
  if (typeof value !== 'object' || value === null || depth >= deepest) return [];
  if (Array.isArray(value)) {
    const items = value.filter((one): one is object => typeof one === 'object' && one !== null && !Array.isArray(one));
    const first = value.slice(0, 1).flatMap((one) => listsOf(one, `${pointer}/0`, depth + 1));
    return items.length > 0 && items.length === value.length ? [{ pointer, items }, ...first] : first;
  }
  return Object.entries(value)
    .slice(0, mostKeys)
    .flatMap(([key, one]) => listsOf(one, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth + 1));
}

const deepest = 8;
const mostItems = 3;
const mostKeys = 60;
const mostLeaves = 400;
