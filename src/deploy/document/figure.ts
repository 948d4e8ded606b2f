/** One number (or quantity) of a deployment: what it is, why, and from where. */
export type Figure = {
  /** Its place among the values of a chart: `inference.slots`. */
  readonly name: string;
  /** As it stands in the manifest: a number, or a quantity such as `769m` or `2Gi`. */
  readonly value: number | string;
  /** One sentence, without the full stop. */
  readonly why: string;
  /** Where it was read: `capacity.yaml:14:8`, a page, Kubernetes. */
  readonly from: readonly string[];
};

/** A text with figures in it, as `--slots=300`. */
export type FigureText = { readonly parts: readonly (string | Figure)[] };

/**
 * What a manifest is made of. A plain number has no place in it: each is a figure, so that none can
 * be written without its reason.
 */
export type Tree = string | boolean | Figure | FigureText | readonly Tree[] | TreeMap;
export type TreeMap = { readonly [key: string]: Tree | undefined };

/** Makes a text of figures and words: written`--slots=${slots}`. */
export function written(words: TemplateStringsArray, ...figures: readonly (Figure | string)[]): FigureText {
  return { parts: words.flatMap((word, i) => (i < figures.length ? [word, figures[i]!] : [word])) };
}

export function isFigure(tree: unknown): tree is Figure {
  return typeof tree === 'object' && tree !== null && 'why' in tree && 'value' in tree && 'from' in tree;
}

export function isFigureText(tree: unknown): tree is FigureText {
  return typeof tree === 'object' && tree !== null && 'parts' in tree && Array.isArray(tree.parts);
}
