import { type Document, isMap, isNode, LineCounter } from 'yaml';
import type { z } from 'zod';
import { type Problem, SpeechfbError } from '../errors.ts';
import { type RenamedKey, renameKeys } from './renamed-keys.ts';
import { plainSentence } from './sentences.ts';
import { syntaxProblems, yamlDocuments } from './syntax.ts';
import { readValue } from './yaml-value.ts';

/**
 * The YAML text as a value of `schema`. Throws `bad_config` with every problem at once, each at
 * `file:line:column: path: what is wrong`.
 */
export function parseConfig<S extends z.ZodType>(file: string, source: string, schema: S): z.output<S> {
  const lines = new LineCounter();
  const [document, second] = yamlDocuments(source, lines);
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document === undefined) throw badConfig(file, [{ where: at(0), message: 'is empty' }]);
  if (second !== undefined) {
    const message = 'a second document begins here; this kind of file has one';
    throw badConfig(file, [{ where: at(offsetOf(second, [], undefined)), message }]);
  }
  const syntax = syntaxProblems(document, source, at);
  if (syntax.length > 0) throw badConfig(file, syntax);
  const checked = checkDocument(document, at, schema);
  if ('value' in checked) return checked.value;
  throw badConfig(file, checked.problems);
}

/**
 * One parsed document as a value of `schema`, or everything that is wrong with it, in the order of
 * the file.
 */
export function checkDocument<S extends z.ZodType>(
  document: Document,
  at: (offset: number) => string,
  schema: S,
  renamed: readonly RenamedKey[] = [],
): { value: z.output<S> } | { problems: Problem[] } {
  const renames = renameKeys(document, renamed);
  const read = readValue(document);
  if ('problems' in read)
    return { problems: read.problems.map(({ offset, message }) => ({ where: at(offset), message })) };
  const result = schema.safeParse(read.value, { error: plainSentence });
  if (result.success && renames.length === 0) return { value: result.data };
  const found = flattenIssues(result.error?.issues ?? []);
  const issues = found.slice(0, mostProblems).map(({ path, message, key }) => ({
    offset: offsetOf(document, path, key),
    message: path.length > 0 ? `${path.join('.')}: ${message}` : message,
  }));
  const problems = [...renames, ...issues];
  problems.sort((a, b) => a.offset - b.offset);
  const more = found.length - issues.length;
  return {
    problems: [
      ...problems.map(({ offset, message }) => ({ where: at(offset), message })),
      ...(more > 0 ? [{ message: `and ${more} more` }] : []),
    ],
  };
}

/**
 * Each has to be looked up in the document, so that a file of nothing but mistakes is not read a
 * thousand times.
 */
const mostProblems = 100;

type Flat = { path: PropertyKey[]; message: string; key?: string };

/**
 * What is wrong, each at its path. A field that may be written in several ways has the problems of
 * the way that was meant, if one was.
 */
export function flattenIssues(issues: readonly z.core.$ZodIssue[], base: readonly PropertyKey[] = []): Flat[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path];
    const meant = issue.code === 'invalid_union' ? issue.errors.filter((way) => !way.some(isOtherType)) : [];
    if (meant.length === 1) return flattenIssues(meant[0]!, path);
    const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    return [{ path, message: issue.message, ...(key === undefined ? {} : { key }) }];
  });
}

function isOtherType({ code, path }: z.core.$ZodIssue): boolean {
  return code === 'invalid_type' && path.length === 0;
}

/**
 * Where the value at `path` begins; for a missing one its nearest parent; for an unknown key the
 * key itself.
 */
export function offsetOf(document: Document, path: readonly PropertyKey[], key: string | undefined): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const parts = path.slice(0, depth);
    const node = depth === 0 ? document.contents : document.getIn(parts, true);
    if (!isNode(node)) continue;
    if (key !== undefined && isMap(node)) {
      const pair = node.items.find(({ key: name }) => isNode(name) && name.toJS(document) === key);
      if (isNode(pair?.key)) return pair.key.range?.[0] ?? 0;
    }
    return node.range?.[0] ?? 0;
  }
  return 0;
}

export function badConfig(file: string, problems: readonly Problem[]): SpeechfbError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new SpeechfbError('bad_config', `${file} has ${count}`, { problems });
}
