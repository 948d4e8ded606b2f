import { type Document, isAlias, isCollection, isMap, isNode, isPair, isScalar, type Node, visit } from 'yaml';

/** Something wrong at an offset of the text. */
export type Placed = { offset: number; message: string };

/**
 * Values that a file may hold once its `*names` are written out; a million learners are one number.
 */
const mostValues = 100_000;
const deepest = 100;

/**
 * The document as a value, in time that grows with its length: not with `*name` without a `&name`
 * before it, nor with names that stand for themselves or make a small file huge, nor nested without
 * end.
 */
export function readValue(document: Document): { value: unknown } | { problems: Placed[] } {
  const { contents } = document;
  if (contents === null) return { problems: [{ offset: 0, message: 'is empty' }] };
  try {
    const { targets, problems } = aliasTargets(document);
    if (problems.length > 0) return { problems };
    const fault = new Sizes(targets).faultOf(contents);
    if (fault !== undefined) return { problems: [{ offset: 0, message: `cannot be read as a value: ${fault}` }] };
    return { value: (targets.size === 0 ? document : writtenOut(document)).toJS() };
  } catch (error) {
    const why = error instanceof RangeError ? tooDeep : (error as Error).message.split('\n', 1)[0]!;
    return { problems: [{ offset: 0, message: `cannot be read as a value: ${why}` }] };
  }
}

/** The sentence on a value that is nested too deeply, whoever finds it. */
export const tooDeep = `it is nested deeper than ${deepest}`;

/**
 * Keys that stand twice in a mapping, at the second; `<<` may, as several mappings may be merged.
 */
export function repeatedKeys(document: Document): Placed[] {
  const repeated: Placed[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key) || key.value === '<<') continue;
        if (seen.has(key.value)) {
          const message = `the key ${JSON.stringify(key.value)} stands here a second time; keep one`;
          repeated.push({ offset: key.range?.[0] ?? 0, message });
        }
        seen.add(key.value);
      }
    },
  });
  return repeated;
}

/** What each `*name` stands for: the last `&name` before it. */
function aliasTargets(document: Document): { targets: ReadonlyMap<Node, Node>; problems: Placed[] } {
  const anchors = new Map<string, Node>();
  const targets = new Map<Node, Node>();
  const problems: Placed[] = [];
  visit(document, {
    Value(_, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Alias(_, alias) {
      const target = anchors.get(alias.source);
      if (target) targets.set(alias, target);
      else {
        const message = `*${alias.source} names no anchor; write &${alias.source} before it`;
        problems.push({ offset: alias.range?.[0] ?? 0, message });
      }
    },
  });
  return { targets, problems };
}

/** How large and how deep a value is with its names written out; each part is counted once. */
class Sizes {
  readonly #targets: ReadonlyMap<Node, Node>;
  readonly #known = new Map<Node, { values: number; depth: number }>();
  readonly #open = new Set<Node>();

  constructor(targets: ReadonlyMap<Node, Node>) {
    this.#targets = targets;
  }

  /** Why the value cannot be taken, or undefined. */
  faultOf(node: Node): string | undefined {
    const { values, depth } = this.#sizeOf(node);
    if (values === Number.POSITIVE_INFINITY) return 'its *names stand for one another';
    if (values > mostValues && this.#targets.size > 0) return 'its *names make a small file huge';
    return depth > deepest ? tooDeep : undefined;
  }

  #sizeOf(node: Node): { values: number; depth: number } {
    const known = this.#known.get(node);
    if (known) return known;
    if (this.#open.has(node)) return { values: Number.POSITIVE_INFINITY, depth: 0 };
    this.#open.add(node);
    const size = { values: 1, depth: 0 };
    for (const part of this.#partsOf(node)) {
      const { values, depth } = this.#sizeOf(part);
      size.values += values;
      size.depth = Math.max(size.depth, depth + (isAlias(node) ? 0 : 1));
    }
    this.#open.delete(node);
    this.#known.set(node, size);
    return size;
  }

  #partsOf(node: Node): Node[] {
    if (isAlias(node)) return [this.#targets.get(node)!];
    if (!isCollection(node)) return [];
    if (isMap(node)) return node.items.flatMap(({ key, value }) => [key, value].filter(isNode));
    return node.items.flatMap((item) => (isPair(item) ? [item.key, item.value] : [item])).filter(isNode);
  }
}

/** The document with what its `*names` stand for in their place. */
function writtenOut(document: Document): Document {
  const copy = document.clone();
  const anchors = new Map<string, Node>();
  visit(copy, {
    Value(_, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Alias: (_, alias) => anchors.get(alias.source),
  });
  return copy;
}
