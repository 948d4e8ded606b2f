import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** A source tree as the architecture test sees it: what each file imports. */
export type Imports = ReadonlyMap<string, { local: readonly string[]; packages: readonly string[] }>;

/** `from -> to to`: which folders each folder may import, by name. */
export type Table = Readonly<Record<string, string>>;

/** Every import of the files below `root`, type imports and `import()` included; local ones as paths from `root`. */
export function readImports(root: string): Imports {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
  return new Map(files.map((file) => [file, importsOf(root, file)]));
}

/** One arrow of the graph of folders, with a file that draws it. */
type Arrow = { from: string; to: string; file: string };

/** The arrows between rooms: the first folder of a path. Files in the root belong to no room. */
export function roomArrows(imports: Imports): Arrow[] {
  return arrows(imports, (file) => (file.includes('/') ? file.split('/')[0] : undefined));
}

/** The arrows between the folders of one room; the room's own files are `room`, those below are `room/folder`. */
export function subRoomArrows(imports: Imports): Arrow[] {
  return arrows(imports, (file) => (file.includes('/') ? dirname(file) : undefined)).filter(
    ({ from, to }) => from.split('/')[0] === to.split('/')[0],
  );
}

/** What is wrong with `found` by `table`, a sentence each: arrows nobody permits, permissions nobody uses, circles. */
export function tableProblems(found: readonly Arrow[], table: Table): string[] {
  const permitted = Object.entries(table).flatMap(([from, names]) => split(names).map((to) => ({ from, to })));
  const isSame = (a: { from: string; to: string }, b: { from: string; to: string }) =>
    a.from === b.from && a.to === b.to;
  const wrong = found.filter((arrow) => !permitted.some((one) => isSame(one, arrow)));
  const unused = permitted.filter((one) => !found.some((arrow) => isSame(one, arrow)));
  const circle = findCircle(Object.keys(table), (name) => split(table[name] ?? ''));
  return [
    ...wrong.map(({ from, to, file }) => `${from} may not import ${to}, as ${file} does`),
    ...unused.map(({ from, to }) => `${from} is permitted to import ${to}, and nothing in it does`),
    ...(circle.length > 0 ? [`the table has a circle: ${circle.join(' -> ')}`] : []),
  ];
}

/** The nodes of one circle, its first again at its end; empty when there is none. */
export function findCircle(nodes: Iterable<string>, next: (node: string) => readonly string[]): string[] {
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): string[] => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return [];
    for (const other of next(node)) {
      const circle = walk(other, [...path, node]);
      if (circle.length > 0) return circle;
    }
    done.add(node);
    return [];
  };
  for (const node of nodes) {
    const circle = walk(node, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

function arrows(imports: Imports, place: (file: string) => string | undefined): Arrow[] {
  const found = new Map<string, Arrow>();
  for (const [file, { local }] of imports) {
    const from = place(file);
    for (const target of local) {
      const to = place(target);
      if (from !== undefined && to !== undefined && from !== to) found.set(`${from} -> ${to}`, { from, to, file });
    }
  }
  return [...found.values()];
}

function importsOf(root: string, file: string): { local: string[]; packages: string[] } {
  const text = readFileSync(join(root, file), 'utf8');
  const names = [...text.matchAll(/\bfrom\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^import\s+'([^']+)'/gm)].map(
    (match) => match[1] ?? match[2] ?? match[3]!,
  );
  const local = names.filter((name) => name.startsWith('.'));
  return {
    local: local.map((name) => relative(root, resolve(root, dirname(file), name))),
    packages: names.filter((name) => !name.startsWith('.')),
  };
}

function split(names: string): string[] {
  return names.split(' ').filter((name) => name !== '');
}
