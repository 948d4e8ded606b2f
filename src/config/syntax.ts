import { type Document, isScalar, type LineCounter, type ParseOptions, parseAllDocuments } from 'yaml';
import type { Problem } from '../errors.ts';
import { repeatedKeys, tooDeep } from './yaml-value.ts';

/**
 * How YAML is read everywhere: with merge keys (`<<: *name`), which files of other tools have, and plain messages. Whether keys
 * are unique is looked at here: the library compares each with each.
 */
const yamlOptions = { prettyErrors: false, merge: true, uniqueKeys: false } as const satisfies ParseOptions & {
  merge: boolean;
  uniqueKeys: boolean;
};

/**
 * The documents of a YAML text but for empty ones: a `---` before the first or behind the last begins nothing, whatever
 * comments follow it. Their positions are counted in `lines`.
 */
export function yamlDocuments(source: string, lines: LineCounter): Document[] {
  const parsed = parseAllDocuments(source, { ...yamlOptions, lineCounter: lines });
  if (!Array.isArray(parsed)) return [];
  return parsed.filter(({ contents, errors }) => errors.length > 0 || !isNothing(contents));
}

function isNothing(contents: Document['contents']): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

/**
 * What is no YAML, or means nothing in it, such as a tag that nobody knows. One slip of the pen makes YAML complain at every
 * later token: the first complaints tell enough.
 */
export function syntaxProblems(document: Document, where: (offset: number) => string): Problem[] {
  const broken = [...document.errors, ...document.warnings].map((error) => ({
    offset: error.pos[0],
    // The library runs out of stack and reports it as a fault of the text, which it is.
    message: /call stack/.test(error.message) ? tooDeep : error.message.split('\n', 1)[0]!,
  }));
  const all = [...broken, ...repeatedKeys(document)].map(({ offset, message }) => ({ where: where(offset), message }));
  const more = { message: `and ${all.length - shownProblems} more, which may follow from these` };
  return all.length > shownProblems ? [...all.slice(0, shownProblems), more] : all;
}

const shownProblems = 5;
