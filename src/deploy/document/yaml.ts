import { Document, isMap, isPair, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { documentText } from '../../config/yaml-text.ts';
import { type Figure, isFigure, isFigureText, type Tree, type TreeMap } from './figure.ts';

/** A figure at one place of one document. */
export type PlacedFigure = {
  /** `Deployment speechfb-inference spec.template.spec.containers[0].args[3]`. */
  place: string;
  figure: Figure;
};

/** How figures are written: as themselves, or as values of a chart. */
export type ValueStyle = 'plain' | 'helm';

/**
 * Documents as one YAML text, the reason of each figure in a comment above it where it stands first
 * in the file; with where each of them stands.
 */
export function documentsText(
  documents: readonly TreeMap[],
  style: ValueStyle,
): { text: string; placed: PlacedFigure[] } {
  const placed: PlacedFigure[] = [];
  const told = new Set<string>();
  const texts = documents.map((tree) => {
    const here = `${String(tree.kind)} ${nameOf(tree)}`;
    const document = new Document(plainOf(tree, style), { aliasDuplicateObjects: false });
    for (const { path, figure } of figuresOf(tree)) {
      placed.push({ place: `${here} ${pathText(path)}`, figure });
      if (told.has(figure.name)) continue;
      told.add(figure.name);
      comment(document, path, figure.why);
    }
    const text = documentText(document);
    return style === 'helm' ? asTemplate(text) : text;
  });
  return { text: texts.join('---\n'), placed };
}

/** Figures as values of a chart: nested by their names, each with its reason above it. */
export function valuesText(figures: readonly Figure[], header: string): string {
  const root: { [key: string]: unknown } = {};
  for (const { name, value } of figures) {
    const path = name.split('.');
    const last = path.pop()!;
    const parent = path.reduce<Record<string, unknown>>((at, key) => {
      at[key] ??= {};
      return at[key] as Record<string, unknown>;
    }, root);
    parent[last] = value;
  }
  const document = new Document(root);
  for (const { name, why } of figures) comment(document, name.split('.'), why);
  return `${header}${documentText(document)}`;
}

/** The values that a document holds once its figures are filled in. */
function plainOf(tree: Tree | undefined, style: ValueStyle): unknown {
  if (isFigure(tree)) return style === 'plain' ? tree.value : tokenOf(tree);
  if (isFigureText(tree)) {
    const [alone, ...others] = tree.parts.filter((part) => part !== '');
    if (style === 'helm' && isFigure(alone) && others.length === 0) return tokenOf(alone, true);
    const shown = (part: string | Figure) =>
      typeof part === 'string' ? part : style === 'plain' ? String(part.value) : tokenOf(part, false);
    return tree.parts.map(shown).join('');
  }
  if (Array.isArray(tree)) return tree.map((each) => plainOf(each, style));
  if (typeof tree !== 'object') return tree;
  const entries = Object.entries(tree as TreeMap).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, plainOf(value, style)]));
}

type Path = readonly (string | number)[];

function figuresOf(tree: Tree | undefined, path: Path = []): { path: Path; figure: Figure }[] {
  if (isFigure(tree)) return [{ path, figure: tree }];
  if (isFigureText(tree)) {
    return tree.parts.flatMap((part) => (typeof part === 'string' ? [] : [{ path, figure: part }]));
  }
  if (Array.isArray(tree)) return tree.flatMap((each, i) => figuresOf(each, [...path, i]));
  if (typeof tree !== 'object') return [];
  return Object.entries(tree as TreeMap).flatMap(([key, value]) => figuresOf(value, [...path, key]));
}

function comment(document: Document, path: Path, why: string): void {
  const parent = document.getIn(path.slice(0, -1), true) as Node | undefined;
  const last = path.at(-1)!;
  const line = wrapped(why);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last) as Pair | undefined;
    if (isPair(pair) && isScalar(pair.key)) addComment(pair.key, line);
  } else if (isSeq(parent)) {
    const item = parent.items[Number(last)];
    if (isScalar(item) || isMap(item)) addComment(item, line);
  }
}

function addComment(node: { commentBefore?: string | null }, line: string): void {
  node.commentBefore = node.commentBefore ? `${node.commentBefore}\n${line}` : line;
}

/** Lines of at most 100 characters, each after one blank. */
function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= 100) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => ` ${line}`).join('\n');
}

/**
 * Letters that YAML leaves alone, until the whole text is there. Helm reads every number as a
 * float, and would print a million as 1e+06.
 */
function tokenOf({ name, value }: Figure, isQuoted = typeof value === 'string'): string {
  const pipes = [...(Number.isInteger(value) ? ['int64'] : []), ...(isQuoted ? ['quote'] : [])];
  return `VALUE(${[name, ...pipes].join(';')})`;
}

function asTemplate(text: string): string {
  return text
    .replaceAll('{{', '{{ "{{" }}')
    .replaceAll(/VALUE\(([\w.;]+)\)/g, (_, parts: string) => `{{ .Values.${parts.replaceAll(';', ' | ')} }}`);
}

function nameOf(tree: TreeMap): string {
  const metadata = tree.metadata;
  return typeof metadata === 'object' && 'name' in metadata ? String((metadata as TreeMap).name) : '';
}

function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = /^[\w-]+$/.test(part) ? part : `"${part}"`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}
