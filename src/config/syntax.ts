import {
  type Document,
  type DocumentOptions,
  isScalar,
  type LineCounter,
  type ParseOptions,
  parseAllDocuments,
  type YAMLError,
} from 'yaml';
import type { Problem } from '../errors.ts';
import { shown } from './sentences.ts';
import { repeatedKeys, tooDeep } from './yaml-value.ts';

/**
 * How YAML is read everywhere: with merge keys (`<<: *name`), which files of other tools have, and
 * plain messages. Whether keys are unique is looked at here: the library compares each with each.
 * It warns of nothing by itself (of a key that is a mapping), as it would on stderr.
 */
const yamlOptions = {
  prettyErrors: false,
  merge: true,
  uniqueKeys: false,
  logLevel: 'error',
} as const satisfies ParseOptions & DocumentOptions & { merge: boolean };

/**
 * The documents of a YAML text but for empty ones: a `---` before the first or behind the last
 * begins nothing, whatever comments follow it. Their positions are counted in `lines`.
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
 * What is no YAML, or means nothing in it, such as a tag that nobody knows. One slip of the pen
 * makes YAML complain at every later token: the first complaints tell enough.
 */
export function syntaxProblems(document: Document, source: string, where: (offset: number) => string): Problem[] {
  const broken = [...document.errors, ...document.warnings].map((error) => ({
    offset: error.pos[0],
    // The library runs out of stack and reports it as a fault of the text, which it is.
    message: /call stack/.test(error.message) ? tooDeep : sentence(error, source),
  }));
  const all = [...broken, ...repeatedKeys(document)].map(({ offset, message }) => ({ where: where(offset), message }));
  const more = { message: `and ${all.length - shownProblems} more, which may follow from these` };
  return all.length > shownProblems ? [...all.slice(0, shownProblems), more] : all;
}

const shownProblems = 5;

/** What the parser's codes mean; `%` is what is written there. */
const codes: Partial<Record<YAMLError['code'], string>> = {
  ALIAS_PROPS: 'an *alias has no anchor and no tag of its own',
  BAD_ALIAS: '% is no name of an alias',
  BAD_DIRECTIVE: '% is no directive that YAML has',
  BAD_DQ_ESCAPE: '% is no escape in double quotes; write it in single quotes',
  BAD_INDENT: 'is indented otherwise than the lines that it belongs to',
  BAD_SCALAR_START: 'a value cannot begin with %; write it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key: value" stands on one line; begin a line, or write the value in quotes',
  BLOCK_IN_FLOW: 'a block cannot stand within [ ] or { }',
  KEY_OVER_1024_CHARS: 'a key has more than 1024 characters: a colon or a quote is missing before',
  MISSING_CHAR: 'a colon, a comma, a blank, a bracket or a closing quote is missing before %',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines: a colon or a quote is missing',
  MULTIPLE_ANCHORS: 'a value has two anchors; keep one',
  MULTIPLE_TAGS: 'a value has two tags; keep one',
  TAB_AS_INDENT: 'a tab indents this line; YAML takes blanks alone',
  TAG_RESOLVE_FAILED: '% is a tag that nobody knows; write the value in quotes',
};

function sentence({ code, pos }: YAMLError, source: string): string {
  const written = shown(
    source
      .slice(pos[0], Math.max(pos[1], pos[0] + 1))
      .trim()
      .split('\n', 1)[0] || 'the end of the line',
  );
  const meaning = codes[code] ?? '% may not stand here: is a quote, a comma or a bracket wrong before it?';
  return meaning.replace('%', () => written);
}
