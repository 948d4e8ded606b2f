import { type Document, isMap, isScalar } from 'yaml';

/** A key that once had another name: `{ path: ['spec', 'load', 'stages'], now: 'phases' }`. */
export type RenamedKey = { path: readonly string[]; now: string };

/**
 * Finds keys with their old names and gives them the new ones in the document, so that all that
 * depends on them is still checked as it was meant. Each one found is a problem, at its offset in
 * the text.
 */
export function renameKeys(document: Document, renamed: readonly RenamedKey[]): { offset: number; message: string }[] {
  return renamed.flatMap(({ path, now }) => {
    const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    if (!isMap(parent) || parent.has(now)) return [];
    const key = parent.items.find((pair) => isScalar(pair.key) && pair.key.value === path.at(-1))?.key;
    if (!isScalar(key)) return [];
    key.value = now;
    return [{ offset: key.range?.[0] ?? 0, message: `${path.join('.')}: is called "${now}" now` }];
  });
}
