import { LineCounter } from 'yaml';
import type { z } from 'zod';
import { type Problem, SpeechfbError } from '../errors.ts';
import { readChunks } from './read-chunks.ts';
import { plainSentence, shown } from './sentences.ts';
import { yamlDocuments } from './syntax.ts';
import { flattenIssues, offsetOf } from './yaml.ts';

/** One line of a text file, counted from 1. */
export type TextLine = { line: number; text: string };

/**
 * The lines of a text file that are not blank, whatever ends them (LF, CR LF, CR), as they come: a
 * file of any size, gzip, a pipe, `-`. Throws `unreadable_file`, also for a line that is no line:
 * longer than `longestLine` characters.
 */
export async function* readLines(file: string, what: string): AsyncGenerator<TextLine> {
  let line = 1;
  let rest = '';
  for await (const chunk of readChunks(file, what)) {
    const text = rest + chunk;
    let from = 0;
    for (const end of text.matchAll(/\r\n|\n|\r(?!$)/g)) {
      const one = text.slice(from, end.index);
      if (one.trim() !== '') yield { line, text: one };
      from = end.index + end[0].length;
      line++;
    }
    rest = text.slice(from);
    if (rest.length > longestLine) throw tooLong(file, what, line);
  }
  const last = rest.replace(/\r$/, '');
  if (last.trim() !== '') yield { line, text: last };
}

/**
 * The JSON of a line as a value of `schema`, or what is wrong with it in one sentence: every key
 * with its value and what is allowed.
 */
export function parseJsonLine<S extends z.ZodType>(
  text: string,
  schema: S,
): { value: z.output<S> } | { problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { problem: `is not JSON: ${shown(text.trim())}` };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return { problem: `${shown(json)} is not a JSON object` };
  const result = schema.safeParse(json, { error: plainSentence });
  if (result.success) return { value: result.data };
  const problems = flattenIssues(result.error.issues).map(
    ({ path, message }) => `${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`,
  );
  return { problem: problems.join('; ') };
}

/** Where in a line of JSON the value at `path`, or its nearest parent, begins; counted from 1. */
function jsonColumn(text: string, path: readonly PropertyKey[]): number {
  const [document] = yamlDocuments(text, new LineCounter());
  return document ? offsetOf(document, path, undefined) + 1 : 1;
}

/**
 * What is wrong with a line of JSON, each value at its column; `where` of a problem is its path in
 * the line, as `words.0.text`. An error without problems is of the whole line.
 */
export function lineProblems({ problems, message }: SpeechfbError, line: string, text: string): Problem[] {
  if (problems.length === 0) return [{ where: line, message }];
  return problems.map(({ where = '', message: wrong }) => ({
    where: `${line}:${jsonColumn(text, where.split('.'))}`,
    message: `${where}: ${wrong}`,
  }));
}

const longestLine = 1_000_000;

function tooLong(file: string, what: string, line: number): SpeechfbError {
  return new SpeechfbError(
    'unreadable_file',
    `cannot read the ${what} "${file}": line ${line} has more than ${longestLine} characters`,
    { hint: 'write one JSON object a line' },
  );
}
