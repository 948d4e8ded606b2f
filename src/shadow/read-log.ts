import { z } from 'zod';
import { lineProblems, readLines } from '../config/json-lines.ts';
import { plainSentence } from '../config/sentences.ts';
import { flattenIssues } from '../config/yaml.ts';
import { type Problem, SpeechfbError } from '../errors.ts';
import { type ShadowRecord, shadowRecord } from './record.ts';

/** How a log ended: a last line that a crash left unfinished is passed over. */
export type LogEnd = { records: number; cutOffLine: number | undefined };

/**
 * Reads a shadow log record by record, gives each to `take`, and says how it ended.
 * @throws SpeechfbError `unreadable_file`; `bad_shadow_log` with every bad line at its column
 */
export async function readShadowLog(file: string, take: (record: ShadowRecord) => void): Promise<LogEnd> {
  const problems: Problem[] = [];
  let records = 0;
  let broken: { line: number; problem: Problem } | undefined;
  for await (const { line, text } of readLines(file, 'shadow log')) {
    // A line that is no JSON is forgiven only where nothing follows it.
    if (broken) problems.push(broken.problem);
    broken = undefined;
    const read = readRecord(text, `${file}:${line}`);
    if ('record' in read) {
      records += 1;
      take(read.record);
    } else if (read.isJson) problems.push(...read.problems);
    else broken = { line, problem: read.problems[0]! };
    if (problems.length > mostProblems) break;
  }
  if (broken && records === 0) problems.push(broken.problem);
  if (problems.length === 0) return { records, cutOffLine: broken?.line };
  const what = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  throw new SpeechfbError('bad_shadow_log', `${file} has ${what}`, {
    problems,
    hint: 'serve --shadow-log FILE writes one; docs/shadow.md has its fields',
  });
}

type Read = { record: ShadowRecord } | { problems: Problem[]; isJson: boolean };

function readRecord(text: string, line: string): Read {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const column = Number(/position (\d+)/.exec((error as Error).message)?.[1] ?? text.length) + 1;
    return { problems: [{ where: `${line}:${column}`, message: 'is not JSON' }], isJson: false };
  }
  const result = z.record(z.string(), z.unknown()).pipe(shadowRecord).safeParse(json, { error: plainSentence });
  if (result.success) return { record: result.data };
  const problems = flattenIssues(result.error.issues).map(({ path, message }) => ({ where: path.join('.'), message }));
  const named = problems.filter(({ where }) => where !== '');
  if (named.length === 0)
    return { problems: [{ where: `${line}:1`, message: 'is no record of a shadow log' }], isJson: true };
  return {
    problems: lineProblems(new SpeechfbError('bad_shadow_log', '', { problems: named }), line, text),
    isJson: true,
  };
}

const mostProblems = 100;
