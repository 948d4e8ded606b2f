import { type Document, isScalar, type LineCounter, type ParseOptions, parseAllDocuments, type YAMLError } from 'yaml';
import type { Problem } from '../errors.ts';

/** How YAML is read everywhere: with merge keys (`<<: *name`), which files of other tools have, and plain messages. */
const yamlOptions = { prettyErrors: false, merge: true } as const satisfies ParseOptions & { merge: boolean };

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
export function syntaxProblems(document: Document, source: string, where: (offset: number) => string): Problem[] {
  const all = [...document.errors, ...document.warnings].map((error) => ({
    where: where(error.pos[0]),
    message: sentence(error, source),
  }));
  const more = { message: `and ${all.length - shownProblems} more, which may follow from these` };
  return all.length > shownProblems ? [...all.slice(0, shownProblems), more] : all;
}

const shownProblems = 5;

function sentence({ code, message, pos }: YAMLError, source: string): string {
  if (code === 'DUPLICATE_KEY') {
    const key = /^(["']?)([\w.-]+)\1/.exec(source.slice(pos[0]))?.[2];
    if (key !== undefined) return `the key "${key}" stands here a second time; keep one`;
  }
  return message.split('\n', 1)[0]!;
}
